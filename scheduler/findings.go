package scheduler

import (
	"context"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// tellFindings logs findings that were not known before: each once, however
// often it is seen.
func tellFindings(ctx context.Context, fresh []backup.Finding) {
	for _, f := range fresh {
		zerolog.Ctx(ctx).Warn().Str("reason", string(f.Reason)).Str("owner", string(f.Reason.Whose())).Str("project", f.ProjectID).
			Str("volume", f.VolumeID).Str("object", f.Object).Str("detail", f.Detail).Msg("finding")
	}
}

// tellEnds keeps and tells the findings about protection that ended; all looks
// at those again that were found before.
func (s *Scheduler) tellEnds(ctx context.Context, b *db.Beat, all bool) error {
	fresh, err := b.FoundEnds(ctx, s.Settings.ProtectionGrace.Std(), s.Settings.MinRestorePoints, all)
	if err != nil {
		return err
	}
	tellFindings(ctx, fresh)
	return nil
}

// countFindings shows how many are known, whoever found them.
func (s *Scheduler) countFindings(ctx context.Context, b *db.Beat) error {
	counts, err := b.FindingCounts(ctx)
	if err != nil {
		return err
	}
	s.Metrics.SetFindings(counts)
	return nil
}
