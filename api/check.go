package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// CheckPath is what Cinder asks, by POST, before it lets somebody delete a backup.
const CheckPath = "/v1/backup"

const (
	checkTime = 2 * time.Second // for the database's answer
	checks    = 1024            // at a time: with more waiting, the last would not be answered in time anyway
)

// otherTarget is the verdict on a body that is about another backup than the query.
const otherTarget = "other_target"

// check answers Cinder's question: exactly `True` lets somebody delete the backup, everything else refuses. Cinder looks
// at the body alone, not at the status, so no answer but the one below is ever that word.
type check struct {
	memory  *db.Checks
	metrics *telemetry.Metrics
	told    *ledger
	bursts  *bursts
	places  chan struct{}
	secured bool // only who has a certificate of our authority is answered
}

func (k *check) answer(c echo.Context) error {
	request := c.Request()
	log := zerolog.Ctx(request.Context())
	if k.secured && (request.TLS == nil || len(request.TLS.VerifiedChains) == 0) {
		k.metrics.DeleteCheck("error", "no_certificate")
		log.Warn().Str("remote", request.RemoteAddr).Msg("delete check without a client certificate refused: give Cinder one in [oslo_policy]")
		return echo.NewHTTPError(http.StatusForbidden, "want a client certificate")
	}
	id, err := askedFor(c.QueryParams())
	if err != nil {
		k.metrics.DeleteCheck("error", "bad_request")
		return err
	}
	q := question{BackupID: id}
	if err := q.read(request); err != nil {
		k.metrics.DeleteCheck("error", "bad_request")
		return err
	}
	if q.Backup.ID != "" && q.Backup.ID != id {
		log.Warn().Str("backup", id).Str("target", short(q.Backup.ID)).Str("user", q.Who.UserID).Str("remote", request.RemoteAddr).
			Msg("delete check about two backups refused: the policy line has to end in backup_id=%(id)s")
		k.refused(log, q, otherTarget)
		return echo.NewHTTPError(http.StatusForbidden, "the body is about another backup than the query")
	}
	select {
	case k.places <- struct{}{}:
		defer func() { <-k.places }()
	default:
		k.metrics.DeleteCheck("error", "overload")
		k.metrics.TurnedAway("checks")
		return echo.NewHTTPError(http.StatusServiceUnavailable)
	}
	verdict, err := k.verdict(request.Context(), q)
	if err != nil {
		k.metrics.DeleteCheck("error", "unavailable")
		return echo.NewHTTPError(http.StatusServiceUnavailable).SetInternal(err)
	}
	if !verdict.Allowed() {
		k.refused(log, q, string(verdict))
		return c.String(http.StatusOK, "False")
	}
	k.metrics.DeleteCheck("allowed", string(verdict))
	k.told.add(db.DeleteCheck{Allowed: true, Verdict: string(verdict), UserID: q.Who.UserID, ProjectID: q.Who.ProjectID, Roles: q.Who.Roles})
	return c.String(http.StatusOK, "True")
}

func (k *check) verdict(ctx context.Context, q question) (backup.Verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	d, err := k.memory.Deletion(ctx, q.BackupID)
	if err != nil {
		return "", err
	}
	d.Backup, d.By = q.Backup, q.Who.UserID
	return d.Verdict(), nil
}

// refused counts, notes and logs a refusal, and says where one user collects them.
func (k *check) refused(log *zerolog.Logger, q question, verdict string) {
	k.metrics.DeleteCheck("refused", verdict)
	k.told.add(db.DeleteCheck{Verdict: verdict, BackupID: q.BackupID, UserID: q.Who.UserID, ProjectID: q.Who.ProjectID, Roles: q.Who.Roles})
	log.Info().Str("backup", q.BackupID).Str("verdict", verdict).Str("user", q.Who.UserID).Str("project", q.Who.ProjectID).
		Str("roles", q.Who.Roles).Msg("deletion refused")
	if n, burst := k.bursts.add(q.Who.UserID); burst {
		k.metrics.RefusalBurst()
		log.Error().Str("user", q.Who.UserID).Str("project", q.Who.ProjectID).Str("roles", q.Who.Roles).Int("refused", n).
			Msg("one user was refused the deletion of many backups within a minute: find out who it is, and why")
	}
}
