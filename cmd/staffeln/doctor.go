package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/api"
	"staffeln/doctor"
	"staffeln/openstack"
	"staffeln/view"
)

// doctorConfig is what the doctor reads: all that scheduler and worker do, and who may ask the delete check.
type doctorConfig struct {
	Database
	Queue
	Scheduler

	Openstack openstack.Config
	API       checkGuard
}

// checkGuard is what keeps others from the delete check.
type checkGuard struct{ TLS api.TLS }

// Exit codes of the doctor, beside those of every command.
const (
	exitWarnings = 3
	exitErrors   = 4
)

// findingsError ends the doctor where not all is well.
type findingsError struct{ warnings, failing int }

func (e findingsError) Error() string {
	return fmt.Sprintf("not all is well: %s, %s", view.Plural(e.failing, "error", "errors"), view.Plural(e.warnings, "warning", "warnings"))
}

// exitCode tells scripts how bad it is.
func (e findingsError) exitCode() int {
	if e.failing > 0 {
		return exitErrors
	}
	return exitWarnings
}

type doctorView struct {
	Severity doctor.Severity     `json:"severity"`
	Findings []doctorFindingView `json:"findings"`
}

type doctorFindingView struct {
	Check    string          `json:"check"`
	Severity doctor.Severity `json:"severity"`
	Text     string          `json:"text"`
	Do       string          `json:"do"`
}

func doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Looks at everything that Staffeln stands on, and says what is wrong and what to do.",
		Example: "  staffeln doctor\n  staffeln doctor --json | jq '.findings[] | select(.severity != \"ok\")'", Args: noArguments,
	}
	c.Long = c.Short + "\n\nConfiguration, Postgres, Redis, the cloud (role, services, clocks), each project with protected volumes (a token, its quota,\n" +
		"the right to secrets), records against Cinder's backups, the scheduler, who may ask the delete check, and whether a round fits into the interval. It only\n" +
		"reads; with many projects it takes a while. Give it the scheduler's environment.\n\n" +
		"It ends with 0 where all is well or could not be looked at, 3 with warnings, 4 with errors; 1 and 2 as every command.\n\n" +
		"It reads these variables (docs/configuration.md says more):\n" + listing(new(doctorConfig), true)
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object instead: severity (ok, unknown, warning, error) and findings[] with check, severity, text, do")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		config := new(doctorConfig)
		credentials, faults := openstack.FromEnv(os.Getenv)
		if err := errors.Join(load(os.Environ(), config), faults); err != nil {
			return usageError{fmt.Errorf("read configuration: nothing was looked at:\n%w", err)}
		}
		return examine(cmd.Context(), cmd, config, credentials, asJSON)
	}
	return c
}

func examine(ctx context.Context, cmd *cobra.Command, config *doctorConfig, credentials openstack.Credentials, asJSON bool) error {
	findings := doctor.Judge(lookDoctor(ctx, config, credentials))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	out := cmd.OutOrStdout()
	if asJSON {
		v := doctorView{doctor.Worst(findings), view.Each(findings, func(f doctor.Finding) doctorFindingView { return doctorFindingView(f) })}
		if err := writeJSON(out, v); err != nil {
			return err
		}
	} else {
		s := newSheet(colourful(out))
		drawFindings(s, findings)
		_, _ = fmt.Fprint(out, s) // to a terminal
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

func drawFindings(s *sheet, findings []doctor.Finding) {
	colours := map[doctor.Severity]string{doctor.OK: good, doctor.Unknown: faint, doctor.Warning: careful, doctor.Failing: bad}
	last := ""
	for _, f := range findings {
		check := f.Check
		if check == last {
			check = ""
		}
		last = f.Check
		indent := strings.Repeat(" ", 23)
		s.hanging(fmt.Sprintf("%-14s %s", check, s.paint(colours[f.Severity], fmt.Sprintf("%-8s", f.Severity))), indent, f.Text)
		if f.Do != "" {
			s.hanging(indent+"→ ", indent+"  ", f.Do)
		}
	}
}
