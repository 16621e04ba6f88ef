package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

// retentionView is what will go, and what stays although its retention is over by then.
type retentionView struct {
	view.AsOf

	Until    time.Time    `json:"until" desc:"how far ahead this looks"`
	Going    []view.Going `json:"going" desc:"backups whose turn to go comes until then by policy, in order"`
	Staying  []view.Going `json:"staying" desc:"those that stay although their own retention is over by then"`
	Volumes  int          `json:"volumes" desc:"how many volumes something of goes"`
	TotalGiB int          `json:"total_gib" desc:"sizes of the volumes of what goes, added up; incrementals hold less"`
	Shorter  []shorterRow `json:"shorter" desc:"retentions shortened by metadata that take effect until then"`
	limit    int
}

type shorterRow struct {
	view.Object

	From string    `json:"from" desc:"the retention in force"`
	To   string    `json:"to" desc:"the one that waits"`
	At   time.Time `json:"at" desc:"when it takes effect"`
}

func retentionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "retention", Short: "Tells what retention will remove.", Example: "  staffeln retention plan --days 7", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError{fmt.Errorf("which one? see %s --help", cmd.CommandPath())}
		},
	}
	c.Long = c.Short + "\n\nIt reads these variables (docs/configuration.md says more):\n" + listing(new(showConfig), false)
	c.AddCommand(retentionPlanCommand())
	return c
}

func retentionPlanCommand() *cobra.Command {
	var days, limit int
	c := &cobra.Command{
		Use: "plan", Short: "Shows which backups will go in the next days, when and why, and which stay; it removes nothing.",
		Long: "The policy is carried forward on our records, on the assumption that no further backup is made: each new restore\n" +
			"point frees an older one from the floor. The removal itself follows at the next retention passes, of each chain\n" +
			"one link at a time, after a look at what Cinder has.",
		Example: "  staffeln retention plan\n  staffeln retention plan --days 7 --limit 0\n  staffeln retention plan --json | jq '.going | length'", Args: noArguments,
	}
	c.Flags().IntVar(&days, "days", 30, "how many days to look ahead")
	c.Flags().IntVar(&limit, "limit", 50, "how many backups each table shows; 0 = all (--json always has all)")
	c.PreRunE = func(*cobra.Command, []string) error {
		for name, n := range map[string]int{"days": days, "limit": limit} {
			if n < 0 || n > 1_000_000 {
				return usageError{fmt.Errorf("read --%s: %d: want 0 to 1000000", name, n)}
			}
		}
		return nil
	}
	return showCommand(c, new(retentionView), func(ctx context.Context, l *db.Look, r view.Reader, _ []string) (answer, error) {
		return lookRetention(ctx, l, r, days, limit)
	})
}

func lookRetention(ctx context.Context, l *db.Look, r view.Reader, days, limit int) (answer, error) {
	head, _, err := r.Head(ctx, l)
	if err != nil {
		return nil, err
	}
	v := &retentionView{AsOf: head, limit: limit, Until: l.Now.AddDate(0, 0, days), Going: []view.Going{}, Staying: []view.Going{}, Shorter: []shorterRow{}}
	if v.Until.After(view.EndOfTime) {
		v.Until = view.EndOfTime
	}
	volumes, err := l.Ageing(ctx, v.Until)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(volumes, 500) {
		held, err := l.Held(ctx, view.Each(some, func(o db.Volume) string { return o.ID }))
		if err != nil {
			return nil, err
		}
		for _, volume := range some {
			v.add(volume, view.HoldingOf(r.Settings, volume, held[volume.ID]))
		}
	}
	slices.SortStableFunc(v.Going, func(a, b view.Going) int { return cmp.Or(a.At.Compare(*b.At), a.Compare(b.Object)) })
	slices.SortStableFunc(v.Staying, func(a, b view.Going) int { return cmp.Or(a.Compare(b.Object), a.DataAt.Compare(b.DataAt)) })
	return v, nil
}

// add takes in what becomes of one volume's backups.
func (v *retentionView) add(volume db.Volume, h backup.Holding) {
	of := view.ObjectOfVolume(volume)
	if at, waits := h.Shortened(); waits && !at.After(v.Until) {
		v.Shorter = append(v.Shorter, shorterRow{of, h.Retention.InForce.String(), h.Retention.Shorter.String(), at})
	}
	row := func(l backup.Link, at *time.Time, why backup.Reason, last bool) view.Going {
		return view.GoingOf(of, l, at, why, last)
	}
	going, kept := h.Forecast(v.At, v.Until)
	last := view.LastPoint(going, kept)
	for i, g := range going {
		v.Going = append(v.Going, row(g.Link, &g.At, g.Reason, i == last))
		v.TotalGiB += g.SizeGiB
	}
	if len(going) > 0 {
		v.Volumes++
	}
	for _, k := range kept {
		if end := view.Expiry(k.Link); end != nil && !end.After(v.Until) {
			v.Staying = append(v.Staying, row(k.Link, nil, k.Reason, false))
		}
	}
}
