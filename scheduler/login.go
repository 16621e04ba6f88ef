package scheduler

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// recordLogin records the finding that Keystone refuses our login, or that our user lost the role admin, if a plan met that.
// It ends both if the plan saw the cloud. Neither is logged here: the failed run's own line has the same cause.
func (s *Scheduler) recordLogin(ctx context.Context, b *db.Run, observed error) error {
	var refused []backup.Finding
	fault := new(backup.CloudError)
	switch {
	case observed == nil:
		s.conditions.Over(zerolog.Ctx(ctx), notAdminCondition).Msg("service user is an administrator again")
	case errors.As(observed, &fault) && (fault.Meaning == backup.MeansUnauthorised || fault.Meaning == backup.MeansNotAdmin):
		refused = []backup.Finding{{Reason: loginReasons[fault.Meaning], Object: s.Identity.UserID, Detail: fault.Message}}
	default:
		return nil // the error is not about the login
	}
	fresh, err := b.RecordLoginFinding(ctx, refused...)
	if err != nil || len(fresh) == 0 {
		return err
	}
	return s.countFindings(ctx, b)
}

var loginReasons = map[backup.Meaning]backup.Reason{backup.MeansUnauthorised: backup.Unauthorised, backup.MeansNotAdmin: backup.NotAdmin}

// notAdminCondition is the condition that our user lost the role admin. All runs and listings that need the role share it, so
// that it is logged once.
const notAdminCondition = "not admin"

// notAdmin reports whether err means that our user lost the role admin, and logs that when it begins.
func (s *Scheduler) notAdmin(ctx context.Context, err error) bool {
	if !backup.Means(err, backup.MeansNotAdmin) {
		return false
	}
	s.conditions.Met(zerolog.Ctx(ctx), zerolog.ErrorLevel, notAdminCondition, "").Err(err).
		Str("detail", "nothing is planned and no loss is seen until it has the role again; backups that are planned already are made").Msg("service user is no administrator")
	return true
}
