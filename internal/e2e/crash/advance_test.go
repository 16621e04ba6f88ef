package crash

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/redis/go-redis/v9"

	"staffeln/backup"
	"staffeln/tasks"
)

// advance moves all clocks forward: of the cloud, of the database, and the queue's own timestamps. Asynq recovers lost tasks
// only at its start and once a minute, so the worker is started again if there may be lost tasks.
func (r *crashRun) advance(ctx context.Context, by time.Duration) error {
	r.clock.ahead.Add(int64(by))
	if _, err := r.pool.Exec(ctx, `UPDATE test_ahead SET by = by + $1`, by); err != nil {
		return err
	}
	lost := false
	for _, key := range []string{"volumes}:lease", "volumes}:retry", "volumes}:scheduled", "reports}:lease", "reports}:retry", "reports}:scheduled"} {
		key = "asynq:{" + key
		ids, err := r.rdb.ZRange(ctx, key, 0, -1).Result()
		if err != nil {
			return err
		}
		for _, id := range ids {
			older := redis.ZAddArgs{XX: true, Members: []redis.Z{{Score: -by.Seconds(), Member: id}}} // the task may be gone by now
			if err := r.rdb.ZAddArgsIncr(ctx, key, older).Err(); err != nil && !errors.Is(err, redis.Nil) {
				return err
			}
			lost = lost || strings.HasSuffix(key, "lease") && r.died
		}
	}
	if !lost || by == 0 {
		return nil
	}
	p := r.procs["worker"]
	p.Stop()
	r.logs["earlier worker"] = p.Log.Tail(1500)
	return r.start("worker")
}

// The steps by which the clocks advance; after each, the run waits until everything is idle. With clockSteps every kind of
// work becomes due. With recoverySteps, after a kill, leases expire and the POST_SETTLE_TIME of requests without a response ends.
var (
	clockSteps    = []time.Duration{0, 2 * time.Minute, 12 * time.Minute, 31 * time.Minute, 31 * time.Minute, 7 * time.Hour, 2 * time.Minute, 25 * time.Hour, 2 * time.Minute, 21 * time.Minute, 2 * time.Minute}
	recoverySteps = []time.Duration{3 * time.Minute, 12 * time.Minute, 31 * time.Minute}
)

// advanceToEnd advances the clocks until the chosen process has died, and then until everything has recovered.
func (r *crashRun) advanceToEnd(ctx context.Context) error {
	for _, name := range []string{"scheduler", "worker"} {
		if err := r.start(name); err != nil {
			return err
		}
	}
	for i, by := range clockSteps {
		r.disturb(i)
		if err := r.advance(ctx, by); err != nil {
			return err
		}
		if err := r.waitIdle(ctx); err != nil {
			return err
		}
		if r.died {
			break
		}
	}
	if err := r.confirmLost(ctx); err != nil {
		return err
	}
	for _, by := range recoverySteps {
		if err := errors.Join(r.advance(ctx, by), r.waitIdle(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// The limits of waitIdle: idleTimeout in time, failedRuns in dispatch runs for a run that fails and backs off.
const (
	idleTimeout = 3 * time.Minute
	failedRuns  = 10
)

// The periods of reconcile runs, which the test sets, and of reports.
const (
	reconcilePeriod = 30 * time.Minute
	reportGrid      = 5 * time.Minute
)

// waitIdle waits until two dispatch runs in a row found no new work, and no plan, retention, reconcile or report run is due. A
// run that failed remains due until its back-off is over; waitIdle does not wait for it longer than failedRuns dispatch runs.
func (r *crashRun) waitIdle(ctx context.Context) error {
	const q = `SELECT dispatched_at, staffeln_now(), planned_at, retention_at, reconciled_at, reported_at,
		(SELECT md5(coalesce(string_agg(r::text, '' ORDER BY id), '')) FROM records r) FROM leadership`
	var began time.Time
	if err := r.pool.QueryRow(ctx, `SELECT staffeln_now()`).Scan(&began); err != nil {
		return err
	}
	same, last, dispatched := 0, "", began
	ctx, cancel := context.WithTimeoutCause(ctx, idleTimeout, errors.New("the processes never became idle"))
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := r.restartKilled(); err != nil {
			return err
		}
		var at, plan, retention, reconcile, report pgtype.Timestamptz
		var now time.Time
		var digest string
		if err := r.pool.QueryRow(ctx, q).Scan(&at, &now, &plan, &retention, &reconcile, &report, &digest); err != nil {
			return err
		}
		due := false
		for _, run := range []struct {
			at     pgtype.Timestamptz
			period time.Duration
		}{{plan, r.scenario.Settings.BackupServicePeriod.Std()}, {retention, r.scenario.Settings.RetentionServicePeriod.Std()}, {reconcile, reconcilePeriod}, {report, reportGrid}} {
			due = due || !run.at.Valid || backup.Grid(now, run.period).After(run.at.Time)
		}
		var pending int64
		for _, queue := range []string{tasks.Volumes, tasks.Reports} {
			n, err := r.rdb.LLen(ctx, "asynq:{"+queue+"}:pending").Result()
			if err != nil {
				return err
			}
			pending += n
		}
		if digest != last || pending > 0 {
			same, last = 0, digest
			continue
		}
		if at.Time.After(dispatched) {
			dispatched = at.Time
			same++
		}
		if same >= 2 && !due || same >= failedRuns {
			return nil
		}
	}
}
