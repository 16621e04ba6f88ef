package main

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func configDocsCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: "config-docs", Short: "Writes docs/configuration.md from the structs that the processes read.", Hidden: true,
		Long:    "Writes docs/configuration.md from the structs that the processes read. It reads no variables.",
		Example: "  staffeln config-docs --output docs/configuration.md", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if output == "" {
				_, err := fmt.Fprint(cmd.OutOrStdout(), configurationPage())
				return err
			}
			if err := os.WriteFile(output, []byte(configurationPage()), 0o644); err != nil { //nolint:gosec // a page of the documentation is for everybody
				return fmt.Errorf("write page of the configuration: %w", err)
			}
			return nil
		},
	}
	c.Flags().StringVar(&output, "output", "", "file to write; without it, standard output")
	return c
}

const pageHead = `<!-- Generated from the structs in the code by ` + "`make generate`" + `; edit those. -->
# Configuration

Every process reads its configuration from the environment, once, at start; only the file of OS_PASSWORD_FILE and the
API's certificates are read again while it runs. A wrong one is refused with all its faults
at once, exit code 2, and nothing is started. All processes may share one environment; a variable that begins with
STAFFELN_ and stands in no table here is refused as well, except those that Kubernetes injects for services
(` + "`*_PORT`, `*_PORT_*`, `*_SERVICE_HOST`, `*_SERVICE_PORT`, `*_SERVICE_PORT_*`" + `).

- A time is a bare number of seconds, or a number with a unit, or several in this order: ` + "`2w3d12h30min15s`" + `. A period may
  begin with years and months as well (` + "`1y6mon`" + `), which are as long as the calendar has them.
- A list is divided by commas.
- A secret (marked so) may stand in a file instead, named by the variable with ` + "`_FILE`" + ` added; newlines at its end are
  dropped. Both set is a fault. Secrets are never printed.
- Where a default is "none" the variable may be left out. Set and empty is a value of its own: it is the empty text, or a
  fault where a number or a time is wanted.

The cloud is given to the processes scheduler, worker and all by the usual OS_* variables of an openrc, or by OS_CLOUD and
clouds.yaml, with user and password; the password may stand in a file that OS_PASSWORD_FILE names. The api reads of them,
for the read API and the page, where Keystone is (OS_AUTH_URL, OS_CACERT, ...) and OS_USERNAME: it has no use for the password.
`

// configurationPage is the whole of docs/configuration.md.
func configurationPage() string {
	rows, order := map[string]*row{}, []string{}
	for _, p := range processes() {
		variables, _ := walk(prefix, reflect.ValueOf(p.config).Elem())
		for _, v := range variables {
			if rows[v.name] == nil {
				rows[v.name] = &row{variable: v}
				order = append(order, v.name)
			}
			reader := p.name
			if rows[v.name].has("required") && !v.has("required") {
				reader += " (optional)"
			}
			if !slices.Contains(rows[v.name].processes, reader) {
				rows[v.name].processes = append(rows[v.name].processes, reader)
			}
		}
	}
	var b strings.Builder
	b.WriteString(pageHead)
	b.WriteString("\n| variable | default | value | meaning, and the cost of changing it | read by |\n|---|---|---|---|---|\n")
	for _, name := range order {
		b.WriteString(rows[name].String())
	}
	return b.String()
}

// row is one variable of the page.
type row struct {
	variable

	processes []string
}

// String writes the row in Markdown.
func (r row) String() string {
	value := r.allowed()
	if r.secret() {
		value += " (a secret)"
	}
	cells := []string{"`" + r.name + "`", r.fallback(), value, r.tag.Get("desc"), strings.Join(r.processes, ", ")}
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", "\\|")
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}
