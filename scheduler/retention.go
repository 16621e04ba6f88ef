package scheduler

import (
	"context"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// Retention finds the volumes of which, by our records, something may be
// removed, and marks them; the worker looks at Cinder before it removes.
func (s *Scheduler) Retention(ctx context.Context, b *db.Beat) error {
	aged, err := b.Aged(ctx)
	if err != nil {
		return err
	}
	var due []string
	for _, v := range aged {
		records, err := b.LinksOf(ctx, v.ID)
		if err != nil {
			return err
		}
		if s.removable(b, v, records) {
			due = append(due, v.ID)
		}
	}
	if len(due) > 0 {
		if err := b.RemovalDue(ctx, due); err != nil {
			return err
		}
	}
	zerolog.Ctx(ctx).Info().Int("aged", len(aged)).Int("due", len(due)).Msg("retention looked")
	return b.Done(ctx, db.RetentionBeat, b.Now)
}

func (s *Scheduler) removable(b *db.Beat, v db.Volume, records []backup.Record) bool {
	links := map[string][]backup.Link{}
	for _, r := range records {
		if l, ok := r.Link(v.Retention); ok {
			links[r.ProjectID] = append(links[r.ProjectID], l)
		}
	}
	for project, of := range links {
		keeping := backup.KeepingOf(project, v.AsOf(), v.Protected, s.Settings.MinRestorePoints, records)
		if removals, _ := backup.Expired(b.Now, keeping, of); len(removals) > 0 {
			return true
		}
	}
	return false
}
