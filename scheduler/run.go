package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// leadPause is how long a follower waits before it asks for the lead again,
// and a leader after a beat that failed. With the 11 seconds in which Postgres
// gives up a session whose machine vanished, another leads within 15.
const leadPause = 3 * time.Second

// Run leads whenever no other scheduler does, until ctx ends. The name stands
// in the leader's row; databaseURL and opts are for the session that holds the
// lead.
func (s *Scheduler) Run(ctx context.Context, databaseURL, name string, opts ...db.Option) error {
	log := zerolog.Ctx(ctx)
	defer s.Metrics.Follows()
	following := false
	for ctx.Err() == nil {
		lead, err := db.Lead(ctx, databaseURL, name, opts...)
		switch {
		case errors.Is(err, db.ErrLed):
			if !following {
				log.Info().Msg("following: another scheduler leads")
			}
			following = true
		case err != nil:
			log.Warn().Err(err).Msg("lead not taken")
		default:
			following = false
			s.reign(ctx, lead)
			lead.Resign()
			s.Metrics.Follows()
		}
		pause(ctx, leadPause)
	}
	return nil
}

// reign runs beats until the lead is lost or ctx ends.
func (s *Scheduler) reign(ctx context.Context, lead *db.Leadership) {
	log := zerolog.Ctx(ctx).With().Int64("term", lead.Term).Logger()
	ctx = log.WithContext(ctx)
	log.Info().Msg("leading")
	defer lead.Keep(ctx)()
	s.Metrics.Leads(lead.Term)
	for ctx.Err() == nil {
		err := lead.Alive(ctx)
		if err == nil {
			var next time.Duration
			if next, err = s.Turn(ctx, lead.Term); err == nil {
				pause(ctx, next)
				continue
			}
		}
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, db.ErrDeposed):
			log.Warn().Err(err).Msg("lead lost")
			return
		default:
			complain(&log, err)
			if lead.Alive(ctx) != nil {
				return
			}
			pause(ctx, leadPause)
		}
	}
}

// Turn does what is due now in the given term and returns how long nothing will be. A beat that
// fails does not keep the others from their turn: while the cloud can't be
// looked at, what is in progress is still followed.
func (s *Scheduler) Turn(ctx context.Context, term int64) (time.Duration, error) {
	var failed error
	for _, beat := range s.beats() {
		b, err := s.DB.Beat(ctx, term)
		if err != nil {
			return 0, errors.Join(failed, err)
		}
		if last := beat.last(b); last != nil && !backup.Grid(b.Now, beat.period).After(backup.Grid(*last, beat.period)) {
			continue
		}
		took := telemetry.Stopwatch()
		err = beat.run(ctx, b)
		s.Metrics.Beat(beat.name, took(), b.Now, err)
		if errors.Is(err, db.ErrDeposed) {
			return 0, err
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", beat.name, err))
		}
	}
	now, err := s.DB.Now(ctx)
	if err := errors.Join(failed, err); err != nil {
		return 0, err
	}
	next := s.beats()[0].next(now)
	for _, beat := range s.beats()[1:] {
		if n := beat.next(now); n.Before(next) {
			next = n
		}
	}
	return next.Sub(now), nil
}

// beat is one kind of turn on a grid of its own.
type beat struct {
	name   string
	period time.Duration
	last   func(*db.Beat) *time.Time
	run    func(context.Context, *db.Beat) error
}

func (b beat) next(now time.Time) time.Time { return backup.Grid(now, b.period).Add(b.period) }

// beats lists them in the order of a turn: what a plan, a retention pass or a
// sweep found is handed over at once.
func (s *Scheduler) beats() []beat {
	set := s.Settings
	return []beat{
		{"plan", set.BackupServicePeriod.Std(), func(b *db.Beat) *time.Time { return b.PlannedBeat }, s.Plan},
		{"retention", set.RetentionServicePeriod.Std(), func(b *db.Beat) *time.Time { return b.RetentionBeat }, s.Retention},
		{"sweep", set.SweepPeriod.Std(), func(b *db.Beat) *time.Time { return b.SweepBeat }, s.Sweep},
		{"report", min(reportGrid, set.ReportPeriod.Std()), func(b *db.Beat) *time.Time { return b.ReportBeat }, s.Report},
		{"hand_over", set.PollPeriod.Std(), func(b *db.Beat) *time.Time { return b.HandedOverAt }, s.HandOver},
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// complain logs a failed beat: a cloud that is away or throttles is tried
// again by itself, anything else is for somebody to look at.
func complain(log *zerolog.Logger, err error) {
	if backup.Means(err, backup.MeansUnavailable) || backup.Means(err, backup.MeansThrottled) {
		log.Warn().Err(err).Msg("beat failed, will be tried again")
		return
	}
	log.Error().Err(err).Msg("beat failed")
}
