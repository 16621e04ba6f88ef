package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/internal/visible"
	"staffeln/view"
)

// readConfig is the configuration of the commands that only need the database: they also work without cloud and queue. The
// scheduler's settings are in it because these commands compute what the next plan will decide.
type readConfig struct {
	config.Database
	config.Scheduler
}

// A page is the output of a reading command: one JSON object, or text for people.
type page interface{ render(*renderer) }

// pageReader reads a page in one read transaction.
type pageReader func(ctx context.Context, l *db.Snapshot, r view.Reader, args []string) (page, error)

// pageCommand completes a reading command.
func pageCommand(c *cobra.Command, example page, read pageReader) *cobra.Command {
	var asJSON bool
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object with all data")
	c.Long = c.Short + "\n\n" + c.Long + "\n\nIt only reads the database, so it works while the cloud or the queue is down. Run it with the scheduler's\n" +
		"environment, because these variables are the policy (docs/configuration.md describes them):\n" + config.Listing(new(readConfig), false) +
		"\n\nWith --json (times are RFC 3339 in UTC, an empty list is [], what is not known is null or \"\"):\n" + jsonHelp(example)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		cfg := new(readConfig)
		if _, err := configure(cmd, cfg); err != nil {
			return err
		}
		p, err := readPage(cmd.Context(), cfg, read, args)
		if err != nil {
			return err
		}
		return writePage(cmd.OutOrStdout(), p, asJSON)
	}
	return c
}

// writePage writes a page for people or programs.
func writePage(out io.Writer, p page, asJSON bool) error {
	if asJSON {
		return writeJSON(out, p)
	}
	w := rendererFor(out)
	p.render(w)
	_, err := fmt.Fprint(out, w)
	return err
}

func readPage(ctx context.Context, cfg *readConfig, read pageReader, args []string) (p page, err error) {
	database, err := db.Open(ctx, cfg.DatabaseURL, nil)
	if err != nil {
		return nil, err
	}
	defer database.Close()
	err = database.Snapshot(ctx, func(l *db.Snapshot) error {
		p, err = read(ctx, l, reader(cfg.Settings), args)
		return err
	})
	return p, err
}

// reader reads for an operator, by the scheduler's settings of this environment.
func reader(set backup.Settings) view.Reader {
	return view.Reader{Settings: set, Given: config.IsSet}
}

// renderHead begins a page.
func renderHead(w *renderer, a view.AsOf, title string) {
	w.now = a.At
	w.title(title)
	if a.PlannedAt == nil {
		w.line("As of %s UTC. Nothing was planned yet: is a scheduler running?", view.Clock(a.At))
	} else {
		w.line("As of %s UTC, by the plan of %s (%s ago).", view.Clock(a.At), view.Clock(*a.PlannedAt), backup.Span(a.At.Sub(*a.PlannedAt)))
	}
	for _, one := range a.Warnings {
		w.paragraph("", w.colour(warning, "WARNING:")+" "+one.Words)
	}
}

// checkLimit refuses a negative --limit.
func checkLimit(limit int) error {
	if limit < 0 {
		return UsageError{fmt.Errorf("read --limit: %d: want 0 (all) or more", limit)}
	}
	return nil
}

// writeJSON writes one object for programs. Control characters are escaped, for terminals.
func writeJSON(out io.Writer, object any) error {
	encoder := json.NewEncoder(visible.JSON(out))
	encoder.SetIndent("", "  ")
	return encoder.Encode(object)
}
