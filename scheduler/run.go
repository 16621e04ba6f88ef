package scheduler

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"staffeln/db"
	"staffeln/internal/telemetry"
)

// leadPause is how long a follower waits before it tries to become leader again,
// and a leader whose database does not respond. Postgres closes the session of a
// vanished machine after 11 seconds, so another leader takes over within 15.
const leadPause = 3 * time.Second

const databaseAdvice = "start Postgres, or check STAFFELN_DATABASE_URL; nothing is planned, begun or removed until it responds"

// Run leads whenever no other scheduler does, until ctx ends. The name is
// written to the leader's row. databaseURL and opts are for the session that
// holds the leadership.
func (s *Scheduler) Run(ctx context.Context, databaseURL, name string, opts ...db.Option) error {
	log := zerolog.Ctx(ctx)
	defer s.Metrics.Follows()
	var conditions telemetry.Conditions
	following := false
	for ctx.Err() == nil {
		lead, err := db.Lead(ctx, databaseURL, name, opts...)
		switch {
		case errors.Is(err, db.ErrLed):
			if !following {
				log.Info().Msg("standby: another scheduler leads")
			}
			following = true
			conditions.Over(log, "lead").Msg("database responds again")
		case ctx.Err() != nil:
		case err != nil:
			conditions.MetLasting(log, zerolog.WarnLevel, "lead", "").Err(err).Str("detail", databaseAdvice).Msg("leadership not acquired, will be tried again")
		default:
			conditions.Over(log, "lead").Msg("database responds again")
			following = false
			s.runTerm(ctx, lead)
			lead.Resign()
			s.Metrics.Follows()
		}
		pause(ctx, leadPause)
	}
	return nil
}

// runTerm runs what is due until the leadership is lost or ctx ends. Dispatch has a loop of its own, so that a long plan
// delays no admission, poll or result. Both loops have ended when runTerm returns.
func (s *Scheduler) runTerm(ctx context.Context, lead *db.Leadership) {
	log := zerolog.Ctx(ctx).With().Int64("term", lead.Term).Logger()
	ctx, lose := context.WithCancelCause(log.WithContext(ctx))
	defer lose(nil)
	s.queue = queueTrouble{} // another leader may have recorded or ended the finding
	log.Info().Msg("leading")
	found, asked := newSignal(), newSignal()         // there is something to dispatch; an operator asked for a run
	defer lead.Keep(ctx, func(ctx context.Context) { // on connections of its own: no table may delay or end the heartbeats
		if wanted, err := s.DB.Requested(ctx); err == nil && wanted { // the next look comes soon
			asked.set()
		}
	}, lose)()
	s.exposeTerm(lead.Term)
	planning, dispatch := s.runs()
	var loops sync.WaitGroup
	loops.Go(func() {
		s.expose(ctx, lead.Term)
		lose(s.loop(ctx, lead, planning, asked, found.set))
	})
	loops.Go(func() { lose(s.loop(ctx, lead, dispatch, found, func() {})) })
	if s.Beside != nil {
		loops.Go(func() { s.Beside(ctx, lead.Term) })
	}
	loops.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		log.Warn().Err(err).Msg("leadership lost")
	}
}

// A signal wakes a loop. Set again before the loop sees it, it is one signal.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) set() {
	select {
	case s <- struct{}{}:
	default: // it is set already
	}
}

// loop runs what is due, then sleeps until something is due or it is woken. It ends when the leadership is lost (and
// returns the reason) or ctx ends. It calls ran after each round in which a run succeeded.
func (s *Scheduler) loop(ctx context.Context, lead *db.Leadership, runs []periodicRun, woken signal, ran func()) error {
	for ctx.Err() == nil {
		if err := lead.Alive(ctx); err != nil {
			return err
		}
		next, some, _, err := s.round(ctx, lead.Term, runs)
		switch {
		case errors.Is(err, db.ErrLostLeadership):
			return err
		case ctx.Err() != nil:
		case err != nil:
			s.logRunFailure(ctx, "database", err)
			next = leadPause
		default:
			s.conditions.Over(zerolog.Ctx(ctx), runCondition+"database").Msg("scheduler's database responds again")
		}
		if some {
			ran()
		}
		// the database's clock counts and can be changed: it is read again at least once per poll period
		t := time.NewTimer(min(next, s.Settings.PollPeriod.Std()))
		select {
		case <-ctx.Done():
		case <-t.C:
		case <-woken:
			runs[0].wanted = runs[0].atOnce
		}
		t.Stop()
	}
	return context.Canceled
}

// Turn does what is due now in the given term, one run after the other, and returns the time until the next run is due. A
// run that fails does not stop the others. [Scheduler.Run] does the same in two loops.
func (s *Scheduler) Turn(ctx context.Context, term int64) (time.Duration, error) {
	planning, dispatch := s.runs()
	next, _, failed, err := s.round(ctx, term, slices.Concat(planning, dispatch))
	if err := errors.Join(failed, err); err != nil {
		return 0, err
	}
	return next, nil
}

// round does what is due now in the given term. It returns the time until the next run is due, whether any run succeeded,
// and what failed. Each failed run is tried again after its own back-off. If err is not nil, no run can begin.
func (s *Scheduler) round(ctx context.Context, term int64, runs []periodicRun) (next time.Duration, some bool, failed, err error) {
	for i := range runs {
		run := &runs[i]
		b, err := s.DB.BeginRun(ctx, term)
		if err != nil {
			return 0, some, failed, err
		}
		_, asked := b.Asked[run.name]
		if !asked && (!run.due(b) || b.Now.Before(s.backOffs.until(run.name))) {
			continue
		}
		run.wanted = false
		if asked {
			if err := b.BeginRequest(ctx, run.name); err != nil {
				return 0, some, failed, err
			}
		}
		took := telemetry.Stopwatch()
		err = guarded(ctx, *run, b)
		s.Metrics.Run(run.name, took(), b.Now, err)
		if asked && ctx.Err() == nil && !errors.Is(err, db.ErrLostLeadership) {
			if err := b.EndRequest(ctx, run.name, err); err != nil {
				return 0, some, failed, err
			}
		}
		switch {
		case errors.Is(err, db.ErrLostLeadership):
			return 0, some, failed, err
		case err == nil:
			some = true
			s.succeeded(ctx, *run)
		case ctx.Err() == nil:
			s.failed(ctx, *run, b, err)
			failed = errors.Join(failed, fmt.Errorf("%s: %w", run.name, err))
		default:
			failed = errors.Join(failed, err)
		}
	}
	now, err := s.DB.Now(ctx)
	if err != nil {
		return 0, some, failed, err
	}
	wakes := make([]time.Time, len(runs))
	for i, run := range runs {
		wakes[i] = run.next(now)
		if again := s.backOffs.until(run.name); again.After(now) && again.Before(wakes[i]) {
			wakes[i] = again
		}
	}
	return slices.MinFunc(wakes, time.Time.Compare).Sub(now), some, failed, nil
}

// guarded executes a run and turns a panic into an error: the other runs continue, and the log keeps its format.
func guarded(ctx context.Context, of periodicRun, b *db.Run) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v at %s", value, debug.Stack())
		}
	}()
	return of.do(ctx, b)
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
