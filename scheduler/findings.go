package scheduler

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// logFindings logs new findings. Each finding is logged once, however often it is
// seen again.
func logFindings(ctx context.Context, fresh []backup.Finding) {
	for _, f := range fresh {
		zerolog.Ctx(ctx).Warn().Str("reason", string(f.Reason)).Str("owner", string(f.Reason.Whose())).Str("project", f.ProjectID).
			Str("volume", f.VolumeID).Str("object", f.Object).Str("detail", f.Detail).Msg("finding")
	}
}

// recordEnds records and logs the findings about protection that ended. With all,
// it also checks those again that were found before.
func (s *Scheduler) recordEnds(ctx context.Context, b *db.Run, all bool) error {
	fresh, err := b.RecordEndedProtection(ctx, s.Settings.ProtectionGrace.Std(), s.Settings.MinRestorePoints, all)
	if err != nil {
		return err
	}
	logFindings(ctx, fresh)
	return nil
}

// recordLogin records the finding that Keystone refuses our login if a plan met that, and ends it if the plan saw the cloud.
func (s *Scheduler) recordLogin(ctx context.Context, b *db.Run, observed error) error {
	var refused []backup.Finding
	var fault *backup.CloudError
	switch {
	case observed == nil:
	case errors.As(observed, &fault) && fault.Meaning == backup.MeansUnauthorised:
		refused = []backup.Finding{{Reason: backup.Unauthorised, Object: s.Identity.UserID, Detail: fault.Message}}
	default:
		return nil // the error says nothing about the login
	}
	fresh, err := b.RecordLoginFinding(ctx, refused...)
	if err != nil || len(fresh) == 0 {
		return err
	}
	logFindings(ctx, fresh)
	return s.countFindings(ctx, b)
}

// recordBursts records the findings about callers of the delete check that were refused too often. It needs no cloud.
func (s *Scheduler) recordBursts(ctx context.Context, b *db.Run) error {
	fresh, err := b.RecordRefusalBursts(ctx)
	if err != nil {
		return err
	}
	logFindings(ctx, fresh)
	return nil
}

// countFindings sets the metric of the open findings from all sources.
func (s *Scheduler) countFindings(ctx context.Context, b *db.Run) error {
	counts, err := b.FindingCounts(ctx)
	if err != nil {
		return err
	}
	s.Metrics.SetFindings(counts)
	return nil
}
