package scheduler

import (
	"context"
	"errors"

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

// tellLogin keeps the finding that Keystone refuses our login, which a plan met, or ends it where the plan saw the cloud.
func (s *Scheduler) tellLogin(ctx context.Context, b *db.Beat, observed error) error {
	var refused []backup.Finding
	var fault *backup.CloudError
	switch {
	case observed == nil:
	case errors.As(observed, &fault) && fault.Meaning == backup.MeansUnauthorised:
		refused = []backup.Finding{{Reason: backup.Unauthorised, Object: s.Identity.UserID, Detail: fault.Message}}
	default:
		return nil // it tells nothing of the login
	}
	fresh, err := b.FoundLogin(ctx, refused...)
	if err != nil || len(fresh) == 0 {
		return err
	}
	tellFindings(ctx, fresh)
	return s.countFindings(ctx, b)
}

// tellBursts keeps the findings about callers of the delete check who were refused too much, whether or not the cloud answers.
func (s *Scheduler) tellBursts(ctx context.Context, b *db.Beat) error {
	fresh, err := b.FoundBursts(ctx)
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
