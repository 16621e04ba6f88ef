package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/api"
	"staffeln/doctor"
	"staffeln/internal/config"
	"staffeln/openstack"
	"staffeln/view"
)

// doctorConfig is what scheduler and worker read, and the delete check's access control.
type doctorConfig struct {
	config.Database
	config.Queue
	config.Scheduler

	Openstack openstack.Config
	API       checkConfig
}

// checkConfig is the access control of the delete check.
type checkConfig struct{ TLS api.TLS }

// Exit codes of the doctor, in addition to those of every command.
const (
	exitWarnings = 3
	exitErrors   = 4
)

// findingsError is returned by the doctor if it found warnings or errors.
type findingsError struct{ warnings, failing int }

func (e findingsError) Error() string {
	return fmt.Sprintf("problems found: %s, %s", view.Plural(e.failing, "error", "errors"), view.Plural(e.warnings, "warning", "warnings"))
}

// exitCode returns the severity for scripts.
func (e findingsError) exitCode() int {
	if e.failing > 0 {
		return exitErrors
	}
	return exitWarnings
}

type doctorJSON struct {
	Severity doctor.Severity `json:"severity"`
	Findings []findingJSON   `json:"findings"`
}

type findingJSON struct {
	Check    string          `json:"check"`
	Severity doctor.Severity `json:"severity"`
	Text     string          `json:"text"`
	Do       string          `json:"do"`
}

func doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Checks everything that Staffeln depends on, and reports what is wrong and what to do.",
		Example: "  staffeln doctor\n  staffeln doctor --json | jq '.findings[] | select(.severity != \"ok\")'", Args: NoArguments,
	}
	c.Long = c.Short + "\n\nIt checks the configuration, Postgres, Redis, the cloud (role, services, clocks), each project with protected volumes (token,\n" +
		"quota, access to secrets), records against Cinder's backups, the scheduler, who may call the delete check, and whether one\n" +
		"backup of every volume fits into the interval. It only reads; with many projects it takes a while. Run it with the scheduler's\n" +
		"environment.\n\n" +
		"Exit code 0: all is well or could not be checked; 3: warnings; 4: errors; 1 and 2 as every command.\n\n" +
		"It reads these variables (docs/configuration.md describes them):\n" + config.Listing(new(doctorConfig), true)
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object: severity (ok, unknown, warning, error) and findings[] with check, severity, text, do")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg := new(doctorConfig)
		var credentials openstack.Credentials
		source, err := configure(cmd, cfg, func() (err error) { credentials, err = openstack.FromEnv(os.Getenv); return err })
		if err != nil {
			return err
		}
		return examine(cmd.Context(), cmd, cfg, source, credentials, asJSON)
	}
	return c
}

func examine(ctx context.Context, cmd *cobra.Command, cfg *doctorConfig, source config.Source, credentials openstack.Credentials, asJSON bool) error {
	facts := gatherFacts(ctx, cfg, credentials)
	facts.ConfiguredBy = source.String()
	findings := doctor.Judge(facts)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	out := cmd.OutOrStdout()
	if asJSON {
		v := doctorJSON{doctor.Worst(findings), view.Each(findings, func(f doctor.Result) findingJSON { return findingJSON(f) })}
		if err := writeJSON(out, v); err != nil {
			return err
		}
	} else {
		w := newRenderer(useColours(out))
		renderFindings(w, findings)
		_, _ = fmt.Fprint(out, w) // to a terminal
	}
	var e findingsError
	for _, f := range findings {
		switch f.Severity {
		case doctor.Failing:
			e.failing++
		case doctor.Warning:
			e.warnings++
		case doctor.OK, doctor.Unknown:
		}
	}
	if e.failing+e.warnings > 0 {
		return e
	}
	return nil
}

func renderFindings(w *renderer, findings []doctor.Result) {
	colours := map[doctor.Severity]string{doctor.OK: good, doctor.Unknown: faint, doctor.Warning: warning, doctor.Failing: bad}
	last := ""
	for _, f := range findings {
		check := f.Check
		if check == last {
			check = ""
		}
		last = f.Check
		indent := strings.Repeat(" ", 23)
		w.hangingIndent(fmt.Sprintf("%-14s %s", check, w.colour(colours[f.Severity], fmt.Sprintf("%-8s", f.Severity))), indent, f.Text)
		if f.Do != "" {
			w.hangingIndent(indent+"→ ", indent+"  ", f.Do)
		}
	}
}
