package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/visible"
	"staffeln/view"
)

// showConfig is what the commands for people at a terminal read: the memory and the scheduler's own rules, since what a
// plan will decide is worked out here from the same. They need no cloud and no queue, so that they work without them.
type showConfig struct {
	Database
	Scheduler
}

// An answer is what one of these commands shows: one object with --json, else drawn for people.
type answer interface{ draw(*sheet) }

// drawHead begins a sheet.
func drawHead(s *sheet, a view.AsOf, title string) {
	s.now = a.At
	s.title(title)
	if a.PlannedAt == nil {
		s.line("As of %s UTC. Nothing was planned yet: is a scheduler running?", view.Clock(a.At))
	} else {
		s.line("As of %s UTC, by the plan of %s (%s ago).", view.Clock(a.At), view.Clock(*a.PlannedAt), backup.Span(a.At.Sub(*a.PlannedAt)))
	}
	for _, w := range a.Warnings {
		s.words("", s.paint(careful, "WARNING:")+" "+w)
	}
}

// looker gathers one view from one look at the memory.
type looker func(ctx context.Context, l *db.Look, r view.Reader, args []string) (answer, error)

// writeJSON writes one object for a program, which a terminal can show too.
func writeJSON(out io.Writer, object any) error {
	encoder := json.NewEncoder(visible.JSON(out))
	encoder.SetIndent("", "  ")
	return encoder.Encode(object)
}

// showCommand answers the subcommand of a view.
func showCommand(c *cobra.Command, example answer, look looker) *cobra.Command {
	var asJSON bool
	c.Flags().BoolVar(&asJSON, "json", false, "write one JSON object instead, with all there is")
	c.Long = c.Short + "\n\n" + c.Long + "\n\nIt only reads the database, so it works while the cloud or the queue is down. Give it the scheduler's\n" +
		"environment: the policy counts as these variables say (docs/configuration.md says more):\n" + listing(new(showConfig), false) +
		"\n\nWith --json (times are RFC 3339 in UTC, an empty list is [], what is not known is null or \"\"):\n" + jsonHelp(example)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		config := new(showConfig)
		if err := load(os.Environ(), config); err != nil {
			return usageError{fmt.Errorf("read configuration: nothing was started:\n%w", err)}
		}
		seen, err := showOnce(cmd.Context(), config, look, args)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(cmd.OutOrStdout(), seen)
		}
		s := sheetFor(cmd.OutOrStdout())
		seen.draw(s)
		_, err = fmt.Fprint(cmd.OutOrStdout(), s)
		return err
	}
	return c
}

func showOnce(ctx context.Context, config *showConfig, look looker, args []string) (seen answer, err error) {
	memory, err := db.Open(ctx, config.DatabaseURL, nil)
	if err != nil {
		return nil, err
	}
	defer memory.Close()
	err = memory.Look(ctx, func(l *db.Look) error {
		seen, err = look(ctx, l, reader(config.Settings), args)
		return err
	})
	return seen, err
}

// reader reads for an operator, by the scheduler's rules as they are given here.
func reader(set backup.Settings) view.Reader {
	return view.Reader{Settings: set, Given: func(variable string) bool { _, is := os.LookupEnv(variable); return is }}
}
