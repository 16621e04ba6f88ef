package scheduler

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// backOffs holds, by name, the runs that failed last time. Each run has a back-off of its own. The zero value is ready.
type backOffs struct {
	mu     sync.Mutex
	failed map[string]backOff
}

type backOff struct {
	failures int
	until    time.Time // by the database's clock
}

// until returns the time before which a run is not tried again. Zero: the run can be tried at once.
func (o *backOffs) until(name string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed[name].until
}

// grow counts a failure. The pause before the next try doubles with each failure. The next try is at the latest when the
// run is due by its own period.
func (o *backOffs) grow(b periodicRun, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed == nil {
		o.failed = map[string]backOff{}
	}
	one := o.failed[b.name]
	one.failures++
	one.until = now.Add(backup.BackOff{First: leadPause, Longest: b.period}.Pause(one.failures))
	if next := b.next(now); next.Before(one.until) {
		one.until = next
	}
	o.failed[b.name] = one
}

// clear deletes the failures of a run that succeeded.
func (o *backOffs) clear(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.failed, name)
}

const runCondition = "run "

// failed delays the next try of a run. The pause counts from the end of the run: a run that timed out has waited already.
func (s *Scheduler) failed(ctx context.Context, b periodicRun, at *db.Run, err error) {
	now := at.Now
	if ended, err := s.DB.Now(ctx); err == nil {
		now = ended
	}
	s.backOffs.grow(b, now)
	s.logRunFailure(ctx, b.name, err)
}

func (s *Scheduler) succeeded(ctx context.Context, b periodicRun) {
	s.backOffs.clear(b.name)
	s.conditions.Over(zerolog.Ctx(ctx), runCondition+b.name).Str("run", b.name).Msg("run succeeded again")
}

// logRunFailure logs that a run fails, when that begins. The level is a warning if the cloud is unavailable or throttles, as
// that passes by itself; anything else is an error that needs an operator.
func (s *Scheduler) logRunFailure(ctx context.Context, name string, err error) {
	if s.notAdmin(ctx, err) {
		return
	}
	level, form, detail := zerolog.ErrorLevel, "other", "`staffeln doctor` checks what the run needs"
	switch {
	case errors.Is(err, errNotEnqueued):
		level, form, detail = zerolog.WarnLevel, "queue", "start Redis, or check STAFFELN_REDIS_URL; no task is lost"
	case backup.Means(err, backup.MeansUnavailable):
		level, form, detail = zerolog.WarnLevel, "unavailable", "check the service of OpenStack that the error names"
	case backup.Means(err, backup.MeansThrottled):
		level, form, detail = zerolog.WarnLevel, "throttled", "the cloud asks for fewer requests; nothing need be done unless it lasts"
	case backup.Means(err, backup.MeansUnauthorised):
		form, detail = "unauthorised", "check OS_USERNAME and OS_PASSWORD"
	}
	s.conditions.MetLasting(zerolog.Ctx(ctx), level, runCondition+name, form).Err(err).Str("run", name).Str("detail", detail).Msg("run failed, will be tried again")
}

// unseenForm returns the name of the list that could not be read, without the details after it.
func unseenForm(unseen string) string {
	if i := strings.IndexAny(unseen, ",:"); i >= 0 {
		return unseen[:i]
	}
	return unseen
}
