package scheduler

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// logFindings logs findings that were not known before: each once, however
// often it is seen.
func logFindings(ctx context.Context, fresh []backup.Finding) {
	for _, f := range fresh {
		zerolog.Ctx(ctx).Warn().Str("reason", string(f.Reason)).Str("owner", string(f.Reason.Whose())).Str("project", f.ProjectID).
			Str("volume", f.VolumeID).Str("object", f.Object).Str("detail", f.Detail).Msg("finding")
	}
}

// recordEnds keeps and tells the findings about protection that ended; all looks
// at those again that were found before.
func (s *Scheduler) recordEnds(ctx context.Context, b *db.Run, all bool) error {
	fresh, err := b.RecordEndedProtection(ctx, s.Settings.ProtectionGrace.Std(), s.Settings.MinRestorePoints, all)
	if err != nil {
		return err
	}
	logFindings(ctx, fresh)
	return nil
}

// recordLogin keeps the finding that Keystone refuses our login, which a plan met, or ends it where the plan saw the cloud.
func (s *Scheduler) recordLogin(ctx context.Context, b *db.Run, observed error) error {
	var refused []backup.Finding
	var fault *backup.CloudError
	switch {
	case observed == nil:
	case errors.As(observed, &fault) && fault.Meaning == backup.MeansUnauthorised:
		refused = []backup.Finding{{Reason: backup.Unauthorised, Object: s.Identity.UserID, Detail: fault.Message}}
	default:
		return nil // it tells nothing of the login
	}
	fresh, err := b.RecordLoginFinding(ctx, refused...)
	if err != nil || len(fresh) == 0 {
		return err
	}
	logFindings(ctx, fresh)
	return s.countFindings(ctx, b)
}

// recordBursts keeps the findings about callers of the delete check who were refused too much, whether or not the cloud answers.
func (s *Scheduler) recordBursts(ctx context.Context, b *db.Run) error {
	fresh, err := b.RecordRefusalBursts(ctx)
	if err != nil {
		return err
	}
	logFindings(ctx, fresh)
	return nil
}

// countFindings shows how many are known, whoever found them.
func (s *Scheduler) countFindings(ctx context.Context, b *db.Run) error {
	counts, err := b.FindingCounts(ctx)
	if err != nil {
		return err
	}
	s.Metrics.SetFindings(counts)
	return nil
}
