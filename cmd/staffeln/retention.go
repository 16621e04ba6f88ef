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
)

// retentionView is what will go, and what stays although its retention is over by then.
type retentionView struct {
	asOf

	Until    time.Time    `json:"until" desc:"how far ahead this looks"`
	Going    []goingView  `json:"going" desc:"backups whose turn to go comes until then by policy, in order"`
	Staying  []goingView  `json:"staying" desc:"those that stay although their own retention is over by then"`
	Volumes  int          `json:"volumes" desc:"how many volumes something of goes"`
	TotalGiB int          `json:"total_gib" desc:"sizes of the volumes of what goes, added up; incrementals hold less"`
	Shorter  []shorterRow `json:"shorter" desc:"retentions shortened by metadata that take effect until then"`
	limit    int
}

type goingView struct {
	object

	BackupID string     `json:"backup_id" desc:"Cinder's"`
	Kind     string     `json:"kind" desc:"full or incremental"`
	SizeGiB  int        `json:"size_gib" desc:"of the volume, when it was backed up"`
	DataAt   time.Time  `json:"data_at" desc:"the time of its data"`
	Expires  *time.Time `json:"expires_at" desc:"the end of its own retention"`
	At       *time.Time `json:"at" desc:"when its turn to go comes; null: it stays"`
	Reason   reason     `json:"reason" desc:"why it goes, or stays"`
	Last     bool       `json:"last_restore_point" desc:"after it the volume has no restore point"`
}

type shorterRow struct {
	object

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
	return showCommand(c, new(retentionView), func(ctx context.Context, l *db.Look, set backup.Settings, _ []string) (view, error) {
		return lookRetention(ctx, l, set, days, limit)
	})
}

func lookRetention(ctx context.Context, l *db.Look, set backup.Settings, days, limit int) (view, error) {
	head, _, err := lookHead(ctx, l, set)
	if err != nil {
		return nil, err
	}
	v := &retentionView{asOf: head, limit: limit, Until: l.Now.AddDate(0, 0, days), Going: []goingView{}, Staying: []goingView{}, Shorter: []shorterRow{}}
	if v.Until.After(endOfTime) {
		v.Until = endOfTime
	}
	volumes, err := l.Ageing(ctx, v.Until)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(volumes, 500) {
		held, err := l.Held(ctx, each(some, func(o db.Volume) string { return o.ID }))
		if err != nil {
			return nil, err
		}
		for _, volume := range some {
			v.add(volume, holdingOf(set, volume, held[volume.ID]))
		}
	}
	slices.SortStableFunc(v.Going, func(a, b goingView) int { return cmp.Or(a.At.Compare(*b.At), a.compare(b.object)) })
	slices.SortStableFunc(v.Staying, func(a, b goingView) int { return cmp.Or(a.compare(b.object), a.DataAt.Compare(b.DataAt)) })
	return v, nil
}

// add takes in what becomes of one volume's backups.
func (v *retentionView) add(volume db.Volume, h backup.Holding) {
	of := object{volume.ID, volume.Name, volume.ServerID, volume.ServerName, volume.ProjectID, volume.ProjectName}
	if at, waits := h.Shortened(); waits && !at.After(v.Until) {
		v.Shorter = append(v.Shorter, shorterRow{of, h.Retention.InForce.String(), h.Retention.Shorter.String(), at})
	}
	row := func(l backup.Link, at *time.Time, why backup.Reason, last bool) goingView {
		return goingView{of, l.BackupID, string(l.Kind), l.SizeGiB, l.DataTime, expiry(l), at, reasonOf(why), last}
	}
	going, kept := h.Forecast(v.At, v.Until)
	last := lastPoint(going, kept)
	for i, g := range going {
		v.Going = append(v.Going, row(g.Link, &g.At, g.Reason, i == last))
		v.TotalGiB += g.SizeGiB
	}
	if len(going) > 0 {
		v.Volumes++
	}
	for _, k := range kept {
		if end := expiry(k.Link); end != nil && !end.After(v.Until) {
			v.Staying = append(v.Staying, row(k.Link, nil, k.Reason, false))
		}
	}
}
