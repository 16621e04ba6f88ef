package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

// backupsView is a list of records, drawn.
type backupsView struct{ view.BackupList }

func backupsCommand() *cobra.Command {
	f := db.Filter{}
	c := &cobra.Command{
		Use: "backups", Short: "Lists backups, the newest first: when, of what, how it ended, how long it is kept, and why.",
		Long: "A filter is an ID or a name; KEPT UNTIL is when its turn to go comes if no further backup is made, or `floor`\n" +
			"for what is always kept. Times are UTC.",
		Example: "  staffeln backups --volume data --limit 10\n  staffeln backups --project acme --state failed,overdue\n" +
			"  staffeln backups --server web-1 --json | jq '.backups[].backup_id'", Args: noArguments,
	}
	flags := c.Flags()
	flags.StringVar(&f.Project, "project", "", "only of the project with this ID or name")
	flags.StringVar(&f.Server, "server", "", "only of the server with this ID or name")
	flags.StringVar(&f.Volume, "volume", "", "only of the volume with this ID or name")
	flags.StringSliceVar(&f.States, "state", nil, "only in these states, divided by commas")
	flags.IntVar(&f.Limit, "limit", 50, "how many to list; 0 = all")
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(states(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
	c.PreRunE = func(*cobra.Command, []string) error {
		for _, state := range f.States {
			if !slices.Contains(states(), state) {
				return usageError{fmt.Errorf("read --state: %q: want some of %v", state, states())}
			}
		}
		if f.Limit < 0 {
			return usageError{fmt.Errorf("read --limit: %d: want 0 (all) or more", f.Limit)}
		}
		return nil
	}
	return showCommand(c, backupsView{}, func(ctx context.Context, l *db.Look, r view.Reader, _ []string) (answer, error) {
		seen, err := r.Backups(ctx, l, f)
		return backupsView{seen}, err
	})
}

func states() []string {
	return view.Each(backup.States, func(s backup.State) string { return string(s) })
}

func (v backupsView) draw(s *sheet) {
	drawHead(s, v.AsOf, "Backups")
	s.line("")
	if len(v.Backups) == 0 {
		s.words("", "None. `staffeln status --volumes` lists the volumes; a filter is an ID or a whole name.")
		return
	}
	var rows [][]string
	for _, b := range v.Backups {
		rows = append(rows, []string{
			s.near(b.At), b.All(), cmp.Or(short(b.Kind), "-"), strconv.Itoa(b.SizeGiB), s.state(b.State), took(b), keptUntil(s, b),
		})
	}
	s.table([]column{
		{name: "TIME"},
		{name: "VOLUME, SERVER, PROJECT", flex: true},
		{name: "KIND"},
		{name: "GIB", right: true},
		{name: "STATE"},
		{name: "TOOK", right: true},
		{name: "KEPT UNTIL"},
	}, rows, 0)
	if v.More {
		s.line("  … and more: --limit 0 lists all.")
	}
	v.drawReasons(s)
}

func took(b view.Backup) string {
	if b.Took == nil {
		return "-"
	}
	return backup.Span(view.Seconds(*b.Took))
}

func keptUntil(s *sheet, b view.Backup) string {
	switch {
	case b.KeptUntil != nil:
		return s.near(*b.KeptUntil)
	case b.Kept.Code == backup.Floor || b.Kept.Code == backup.FloorStandsOnIt:
		return "floor"
	case b.Kept.Code != "" && b.Kept.Code != backup.BeingCreated:
		return "stays"
	}
	return "-"
}
