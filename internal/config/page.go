package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

const pageHead = `<!-- Generated from the structs in the code by ` + "`make generate`" + `; edit those. -->
# Configuration

Every process reads its configuration from the environment once, at start, completed by an [environment file](#environment-file); only the file of OS_PASSWORD_FILE and the
API's certificates are read again while it runs. A process with a wrong configuration reports all faults at once, starts
nothing and exits with code 2. All processes may share one environment. A variable that begins with STAFFELN_ and is in no
table here is refused, except those that Kubernetes injects for services
(` + "`*_PORT`, `*_PORT_*`, `*_SERVICE_HOST`, `*_SERVICE_PORT`, `*_SERVICE_PORT_*`" + `).

- A time is a bare number of seconds, or numbers with units in this order: ` + "`2w3d12h30min15s`" + `. A period may also begin
  with years and months (` + "`1y6mon`" + `), which follow the calendar.
- A list is comma-separated.
- A secret (marked so) can be in a file instead, which the variable with ` + "`_FILE`" + ` added names; one newline at the end of
  the file is ignored. It is a fault to set both. Secrets are never printed.
- A variable whose default is "none" is optional. A variable that is set and empty has the empty text as its value, which
  is a fault if a number or a time is wanted.

The processes scheduler, worker and all find the cloud by the usual OS_* variables of an openrc, or by OS_CLOUD and
clouds.yaml, with user and password; OS_PASSWORD_FILE may name a file with the password. The api reads only where Keystone
is (OS_AUTH_URL, OS_CACERT, ...) and OS_USERNAME, for the read API and the page; it does not need the password.

## Environment file

` + "`--env-file FILE`" + ` of each command, or STAFFELN_ENV_FILE, names a file with variables. If neither is set (` + "`--env-file ''`" + `: no file), it is
` + StandardEnvFile + `, if this user can read it and the environment has no STAFFELN_* and no OS_*. **What the environment has
already wins over the file**; a variable and the same with ` + "`_FILE`" + ` count as one. ` + "`staffeln doctor`" + ` and the first line of a process's log name the file
and what the environment overrides. A file with a secret should be readable by its owner only; otherwise each command warns.

The file has the format of systemd's EnvironmentFile and compose's env_file. A line that the two read differently is refused, with its number:

- NAME=VALUE, with or without spaces around = and ` + "`export `" + ` before NAME (systemd itself ignores such a line). Of two lines with one name the last one counts.
- A comment is a line of its own that begins with # (or ;, which compose refuses).
- A value with # after a space, with $ or with a backslash is written in single quotes, in which nothing is replaced: ` + "`'pa$$ #1'`" + `. In double quotes
  ` + "`\\\"`, `\\\\` and `\\$`" + ` stand for the second character. A value ends on its line.

## Variables
`

// Page returns the whole of docs/configuration.md.
func Page() string {
	rows, order := map[string]*row{}, []string{}
	for _, p := range Processes() {
		variables, _ := walk(prefix, reflect.ValueOf(p.Config).Elem())
		for _, v := range variables {
			if rows[v.name] == nil {
				rows[v.name] = &row{variable: v}
				order = append(order, v.name)
			}
			reader := p.Name
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

// String returns the row in Markdown.
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

// Listing returns the variables of a struct with their defaults, for a command's help. cloud adds OS_*.
func Listing(spec any, cloud bool) string {
	variables, _ := walk(prefix, reflect.ValueOf(spec).Elem())
	var b strings.Builder
	seen := map[string]bool{}
	for _, v := range variables {
		if seen[v.name] {
			continue
		}
		seen[v.name] = true
		fmt.Fprintf(&b, "  %-48s %s\n", v.name, strings.ReplaceAll(v.fallback(), "`", ""))
	}
	if cloud {
		b.WriteString("  OS_* or OS_CLOUD                                 the cloud, as in openrc or clouds.yaml; by user and password\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
