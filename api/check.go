package api

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"staffeln/api/web"
	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// CheckPath is the path that Cinder sends a POST request to before it lets a user delete a backup.
const CheckPath = "/v1/backup"

const (
	checkTime        = 2 * time.Second // for the database query
	turnTime         = time.Second     // for the wait before it
	checksAtOnce     = 8               // in progress: as many as the check has database connections
	checksPerAddress = 6               // of one address, so that one address never takes all slots
	maxWaitingChecks = 1024            // waiting: with more, the last one would time out anyway
	maxBodyBytes     = 16 << 20        // bytes of request bodies held at a time
)

// otherTarget is the judgement on a request whose body names another backup than its query.
const otherTarget = "other_target"

// check is the handler of the delete check. The body `True` allows the deletion, every other body refuses it. Cinder reads
// only the body, not the status, so no other response may have this body.
type check struct {
	checks          *db.Checks
	metrics         *telemetry.Metrics
	audit           *auditBuffer
	callers         callers
	bodies          *intake
	turns           *turns
	parsers         *turns // for long bodies
	delays          *delays
	addressThrottle *addressThrottle
	few             zerolog.Sampler // for log lines that anyone can cause
}

// check returns nil if there is no database.
func (c Config) check(d Deps, certificates *certificates, delays *delays) *check {
	if d.Checks == nil {
		return nil
	}
	return &check{
		checks: d.Checks, metrics: d.Metrics, audit: newAuditBuffer(d, c.RefusalBurst),
		callers: callers{certificates, c.TLS.ClientCAFile != "", c.TLS.ClientNames},
		bodies:  newIntake(maxBodyBytes), turns: newTurns(checksAtOnce, checksPerAddress, maxWaitingChecks), parsers: newTurns(1, 1, maxWaitingChecks), delays: delays, addressThrottle: newAddressThrottle(), few: fewLines(),
	}
}

func (k *check) handle(c echo.Context) error {
	request := c.Request()
	log := zerolog.Ctx(request.Context())
	verified, judgement, err := k.callers.verify(request.TLS)
	if err != nil {
		k.metrics.DeleteCheck("error", judgement)
		k.audit.add(checkOutcome{judgement: judgement})
		k.log(log, false).Warn().Str("remote", request.RemoteAddr).Str("judgement", judgement).
			Msg("delete check without the required client certificate refused: give Cinder one in [oslo_policy]")
		return k.delayed(c, err)
	}
	if !k.addressThrottle.wait(request.Context(), web.Client(c.RealIP()), request.ContentLength) { // before the body is read
		c.Response().Header().Set(echo.HeaderConnection, "close")
		return k.overloaded(nil)
	}
	id, err := requestedBackup(c.QueryParams())
	if err != nil {
		k.metrics.DeleteCheck("error", "bad_request")
		return k.delayed(c, err)
	}
	q := question{BackupID: id}
	if err := k.read(c, &q); err != nil {
		return err
	}
	t := checkOutcome{verified: verified, who: q.Who, backupID: id}
	if q.Backup.ID != "" && q.Backup.ID != id {
		k.log(log, verified).Warn().Str("backup_id", id).Str("target_id", short(q.Backup.ID)).Str("user_id", q.Who.UserID).Str("remote", request.RemoteAddr).
			Msg("delete check about two backups refused: the policy line has to end in backup_id=%(id)s")
		t.judgement = otherTarget
		k.refused(log, t)
		return echo.NewHTTPError(http.StatusForbidden, "the body is about another backup than the query")
	}
	v, err := k.judgement(request.Context(), q, web.Client(c.RealIP()))
	switch {
	case overload(err):
		return k.overloaded(err)
	case err != nil:
		k.metrics.DeleteCheck("error", "unavailable")
		return echo.NewHTTPError(http.StatusServiceUnavailable).SetInternal(err)
	}
	t.allowed, t.judgement = v.Allowed(), string(v)
	if !v.Allowed() {
		k.refused(log, t)
		return c.String(http.StatusOK, "False")
	}
	k.metrics.DeleteCheck("allowed", string(v))
	k.audit.add(t)
	return c.String(http.StatusOK, "True")
}

func (k *check) judgement(ctx context.Context, q question, address string) (backup.Judgement, error) {
	waits, cancel := context.WithTimeout(ctx, turnTime)
	defer cancel()
	if err := k.turns.take(waits, address); err != nil {
		return "", err
	}
	defer k.turns.release(address)
	// Cancelling a query closes its connection, so each query has the whole checkTime.
	ctx, cancelled := context.WithTimeout(ctx, checkTime)
	defer cancelled()
	d, err := k.checks.Deletion(ctx, q.BackupID)
	if err != nil {
		return "", err
	}
	d.Backup, d.By = q.Backup, q.Who.UserID
	return d.Judgement(), nil
}

// read reads the body into q. It returns an error response if the body is invalid or there is no capacity for it now.
func (k *check) read(c echo.Context, q *question) error {
	request := c.Request()
	length, err := declared(request)
	if err != nil || length == 0 {
		return k.bad(c, err)
	}
	as, err := formatOf(request.Header)
	if err != nil {
		return k.bad(c, err)
	}
	ctx, cancel := context.WithTimeout(request.Context(), readTime+checkTime)
	defer cancel()
	address := web.Client(c.RealIP())
	var ended atomic.Bool
	r := k.bodies.take(address, length, func() {
		ended.Store(true)
		cancel()
		_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(time.Unix(1, 0)) // fails only with the ResponseWriter of a test
	})
	defer k.bodies.release(r)
	body, err := readBody(request.Body, length, request.ContentLength < 0)
	if ended.Load() {
		c.Response().Header().Set(echo.HeaderConnection, "close")
		return k.overloaded(err)
	}
	if err != nil {
		return k.bad(c, err)
	}
	if len(body) > bodyUsual {
		if err := k.parsers.take(ctx, address); err != nil {
			return k.overloaded(err)
		}
		took := telemetry.Stopwatch()
		// Long bodies are unusual. Parsing them takes at most a fifth of the time, however many clients send them.
		defer func() { time.AfterFunc(4*took(), func() { k.parsers.release(address) }) }()
	}
	return k.bad(c, q.parse(body, as))
}

// bad passes err on, delayed if the address sends many invalid requests.
func (k *check) bad(c echo.Context, err error) error {
	if err == nil {
		return nil
	}
	k.metrics.DeleteCheck("error", "bad_request")
	c.Response().Header().Set(echo.HeaderConnection, "close") // what follows may be the rest of the body
	return k.delayed(c, err)
}

func (k *check) delayed(c echo.Context, err error) error {
	if !k.delays.wait(c.Request(), web.Client(c.RealIP())) {
		return tooMany(c)
	}
	return err
}

// overload reports whether err means that there was no capacity.
func overload(err error) bool {
	known := new(echo.HTTPError)
	return errors.As(err, &known) && known.Code == errOverloaded.Code
}

func (k *check) overloaded(why error) error {
	k.metrics.DeleteCheck("error", "overload")
	k.metrics.Rejected("checks")
	return errOverloaded.WithInternal(why)
}

// log returns the logger. Log lines that unverified callers cause are sampled.
func (k *check) log(log *zerolog.Logger, verified bool) *zerolog.Logger {
	if verified {
		return log
	}
	bounded := log.Sample(k.few)
	return &bounded
}

// refused counts, records and logs a refusal.
func (k *check) refused(log *zerolog.Logger, t checkOutcome) {
	k.metrics.DeleteCheck("refused", t.judgement)
	k.audit.add(t)
	k.log(log, t.verified).Info().Str("backup_id", t.backupID).Str("judgement", t.judgement).Str("user_id", t.who.UserID).Str("project_id", t.who.ProjectID).
		Str("roles", t.who.Roles).Bool("verified", t.verified).Msg("deletion refused")
}
