package scheduler

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// backOffs holds, by name, the runs that failed last time. Each waits for itself alone. The zero value is ready.
type backOffs struct {
	mu     sync.Mutex
	failed map[string]backOff
}

type backOff struct {
	failures int
	until    time.Time // by the database's clock
}

// until returns the time before which a run is not tried again; zero: at once.
func (o *backOffs) until(name string) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.failed[name].until
}

// grow counts a failure: the next try comes after a pause that doubles with each, and at the latest when the run is
// due by its own period.
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

// clear forgets the failures of a run that ended well.
func (o *backOffs) clear(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.failed, name)
}

const runCondition = "run "

// failed puts a run off. The pause counts from its end: one that failed by a time-out has waited already.
func (s *Scheduler) failed(ctx context.Context, b periodicRun, at *db.Run, err error) {
	now := at.Now
	if ended, err := s.DB.Now(ctx); err == nil {
		now = ended
	}
	s.backOffs.grow(b, now)
	s.complain(ctx, b.name, err)
}

func (s *Scheduler) succeeded(ctx context.Context, b periodicRun) {
	s.backOffs.clear(b.name)
	s.conditions.Over(zerolog.Ctx(ctx), runCondition+b.name).Str("run", b.name).Msg("run succeeded again")
}

// complain logs that a run fails when that begins: a cloud that is away or throttles is tried again by itself,
// anything else is for somebody to look at.
func (s *Scheduler) complain(ctx context.Context, name string, err error) {
	level, form, detail := zerolog.ErrorLevel, "other", "`staffeln doctor` checks what the run needs"
	switch {
	case backup.Means(err, backup.MeansUnavailable):
		level, form, detail = zerolog.WarnLevel, "unavailable", "check the service of OpenStack that the error names"
	case backup.Means(err, backup.MeansThrottled):
		level, form, detail = zerolog.WarnLevel, "throttled", "the cloud asks for fewer requests; nothing need be done unless it lasts"
	case backup.Means(err, backup.MeansUnauthorised):
		form, detail = "unauthorised", "check OS_USERNAME and OS_PASSWORD"
	}
	s.conditions.MetLasting(zerolog.Ctx(ctx), level, runCondition+name, form).Err(err).Str("run", name).Str("detail", detail).Msg("run failed, will be tried again")
}

// unseenForm is what could not be read, without where in it and why.
func unseenForm(unseen string) string {
	if i := strings.IndexAny(unseen, ",:"); i >= 0 {
		return unseen[:i]
	}
	return unseen
}
