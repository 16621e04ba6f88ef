package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

// backupsPage is a list of records.
type backupsPage struct{ view.BackupList }

func backupsCommand() *cobra.Command {
	f := db.Filter{}
	c := &cobra.Command{
		Use: "backups", Short: "Lists backups, the newest first: time, volume, state, retention and reason.",
		Long: "A filter is an ID or a name. KEPT UNTIL is when the backup is removed if no further backup is made; `always kept` marks\n" +
			"the newest restore points and the backups that they need. Times are UTC.",
		Example: "  staffeln backups --volume data --limit 10\n  staffeln backups --project acme --state failed,overdue\n" +
			"  staffeln backups --server web-1 --json | jq '.backups[].backup_id'", Args: NoArguments,
	}
	flags := c.Flags()
	flags.StringVar(&f.Project, "project", "", "only of the project with this ID or name")
	flags.StringVar(&f.Server, "server", "", "only of the server with this ID or name")
	flags.StringVar(&f.Volume, "volume", "", "only of the volume with this ID or name")
	flags.StringSliceVar(&f.States, "state", nil, "only in these states, comma-separated")
	flags.IntVar(&f.Limit, "limit", 50, "number of backups; 0 = all")
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(states(), cobra.ShellCompDirectiveNoFileComp)) // the flag exists
	c.PreRunE = func(*cobra.Command, []string) error {
		for _, state := range f.States {
			if !slices.Contains(states(), state) {
				return UsageError{fmt.Errorf("read --state: %q: want some of %v", state, states())}
			}
		}
		return checkLimit(f.Limit)
	}
	return pageCommand(c, backupsPage{}, func(ctx context.Context, l *db.Snapshot, r view.Reader, _ []string) (page, error) {
		list, err := r.Backups(ctx, l, f)
		return backupsPage{list}, err
	})
}

func states() []string {
	return view.Each(backup.States, func(s backup.State) string { return string(s) })
}

func (p backupsPage) render(w *renderer) {
	renderHead(w, p.AsOf, "Backups")
	w.line("")
	if len(p.Backups) == 0 {
		w.paragraph("", "None. `staffeln status --volumes` lists the volumes; a filter is an ID or a complete name.")
		return
	}
	var rows [][]string
	for _, b := range p.Backups {
		rows = append(rows, []string{
			w.shortTime(b.At), b.All(), cmp.Or(short(b.Kind), "-"), strconv.Itoa(b.SizeGiB), w.state(b.State), took(b), keptUntil(w, b.KeptUntil, b.Kept.Code),
		})
	}
	w.table([]column{
		{name: "TIME"},
		{name: "VOLUME, SERVER, PROJECT", flex: true},
		{name: "KIND"},
		{name: "GIB", right: true},
		{name: "STATE"},
		{name: "TOOK", right: true},
		{name: "KEPT UNTIL"},
	}, rows, 0)
	if p.More {
		w.line("  … and more: --limit 0 lists all.")
	}
	p.renderReasons(w)
}

func took(b view.BackupSummary) string {
	if b.Took == nil {
		return "-"
	}
	return backup.Span(view.Seconds(*b.Took))
}

func keptUntil(w *renderer, until *time.Time, why backup.Reason) string {
	switch {
	case until == nil:
		return cmp.Or(view.KeptWords(why), "-")
	case !until.After(w.now):
		return "due " + w.shortTime(*until)
	}
	return w.shortTime(*until)
}
