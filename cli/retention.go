package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/view"
)

// retentionPage is what will expire, and what is kept although its own retention is over by then.
type retentionPage struct {
	view.AsOf

	Until    time.Time       `json:"until" desc:"end of the forecast"`
	Expiring []view.Expiring `json:"expiring" desc:"backups that expire until then, in order"`
	Retained []view.Expiring `json:"retained" desc:"backups that are kept although their own retention is over by then"`
	Volumes  int             `json:"volumes" desc:"number of volumes with expiring backups"`
	TotalGiB int             `json:"total_gib" desc:"sum of the volume sizes of the expiring backups; incrementals are smaller"`
	Shorter  []shorterRow    `json:"shorter" desc:"retentions shortened by metadata that take effect until then"`
	limit    int
	waits    view.RemovalWaits
}

type shorterRow struct {
	view.Object

	From string    `json:"from" desc:"the retention in force"`
	To   string    `json:"to" desc:"the shorter one"`
	At   time.Time `json:"at" desc:"when it takes effect"`
}

func retentionCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "retention", Short: "Shows what retention will remove.", Example: "  staffeln retention plan --days 7", Args: NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return UsageError{fmt.Errorf("name a subcommand; see %s --help", cmd.CommandPath())}
		},
	}
	c.Long = c.Short + "\n\nIt reads these variables (docs/configuration.md describes them):\n" + config.Listing(new(readConfig), false)
	c.AddCommand(retentionPlanCommand())
	return c
}

func retentionPlanCommand() *cobra.Command {
	var days, limit int
	c := &cobra.Command{
		Use: "plan", Short: "Shows which backups expire in the next days, when and why, and which are kept; it removes nothing.",
		Long: "This is a forecast from the records, assuming that no further backup is made: each new restore point lets an older\n" +
			"one expire that was always kept until then. The next retention runs remove the backups, one link of each chain at a time, after they have\n" +
			"checked what Cinder has.",
		Example: "  staffeln retention plan\n  staffeln retention plan --days 7 --limit 0\n  staffeln retention plan --json | jq '.expiring | length'", Args: NoArguments,
	}
	c.Flags().IntVar(&days, "days", 30, "number of days of the forecast")
	c.Flags().IntVar(&limit, "limit", 50, "number of backups in each table; 0 = all (--json always has all)")
	c.PreRunE = func(*cobra.Command, []string) error {
		for name, n := range map[string]int{"days": days, "limit": limit} {
			if n < 0 || n > 1_000_000 {
				return UsageError{fmt.Errorf("read --%s: %d: want 0 to 1000000", name, n)}
			}
		}
		return nil
	}
	return pageCommand(c, new(retentionPage), func(ctx context.Context, l *db.Snapshot, r view.Reader, _ []string) (page, error) {
		return readRetention(ctx, l, r, days, limit)
	})
}

func readRetention(ctx context.Context, l *db.Snapshot, r view.Reader, days, limit int) (page, error) {
	metadata, _, err := r.Metadata(ctx, l)
	if err != nil {
		return nil, err
	}
	p := &retentionPage{AsOf: metadata, limit: limit, Until: l.Now.AddDate(0, 0, days), Expiring: []view.Expiring{}, Retained: []view.Expiring{}, Shorter: []shorterRow{}}
	if p.Until.After(view.EndOfTime) {
		p.Until = view.EndOfTime
	}
	if p.waits, err = r.RemovalWaits(ctx, l); err != nil {
		return nil, err
	}
	volumes, err := l.Ageing(ctx, p.Until)
	if err != nil {
		return nil, err
	}
	paused, err := l.Pauses(ctx)
	if err != nil {
		return nil, err
	}
	for some := range slices.Chunk(volumes, 500) {
		held, err := l.Held(ctx, view.Each(some, func(o db.Volume) string { return o.ID }))
		if err != nil {
			return nil, err
		}
		for _, volume := range some {
			p.add(volume, view.RetentionInputOf(r.Settings, volume, held[volume.ID], paused))
		}
	}
	slices.SortStableFunc(p.Expiring, func(a, b view.Expiring) int { return cmp.Or(a.At.Compare(*b.At), a.Compare(b.Object)) })
	slices.SortStableFunc(p.Retained, func(a, b view.Expiring) int { return cmp.Or(a.Compare(b.Object), a.DataAt.Compare(b.DataAt)) })
	return p, nil
}

// add adds the forecast of one volume's backups.
func (p *retentionPage) add(volume db.Volume, h backup.RetentionInput) {
	of := view.ObjectOfVolume(volume)
	if at, waits := h.Shortened(); waits && !at.After(p.Until) {
		p.Shorter = append(p.Shorter, shorterRow{of, h.Retention.InForce.String(), h.Retention.Shorter.String(), at})
	}
	row := func(l backup.Link, at *time.Time, waits *view.RemovalWait, why backup.Reason, last bool) view.Expiring {
		return view.ExpiringOf(of, l, at, waits, why, last)
	}
	expiring, kept := h.Forecast(p.At, p.Until)
	waits := p.waits.ExpiringNow(volume, h, expiring)
	last := view.LastPoint(expiring, kept)
	for i, g := range expiring {
		p.Expiring = append(p.Expiring, row(g.Link, new(g.Promised()), waits[i], g.Reason, i == last))
		p.TotalGiB += g.SizeGiB
	}
	if len(expiring) > 0 {
		p.Volumes++
	}
	for _, k := range kept {
		if end := view.Expiry(k.Link); end != nil && !end.After(p.Until) {
			p.Retained = append(p.Retained, row(k.Link, nil, nil, k.Reason, false))
		}
	}
}
