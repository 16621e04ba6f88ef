package scheduler

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// periodicRun is one kind of run on a time grid of its own.
type periodicRun struct {
	name   string
	period time.Duration
	last   func(*db.Run) *time.Time
	do     func(context.Context, *db.Run) error
	atOnce bool // the signal of its loop asks for this run
	wanted bool // run it before its time
}

func (b *periodicRun) due(at *db.Run) bool {
	last := b.last(at)
	return b.wanted || last == nil || backup.Grid(at.Now, b.period).After(backup.Grid(*last, b.period))
}

func (b *periodicRun) next(now time.Time) time.Time { return backup.Grid(now, b.period).Add(b.period) }

// runs returns the runs in the order of a turn: what plan, retention or reconcile found is dispatched at once.
func (s *Scheduler) runs() (planning, dispatch []periodicRun) {
	set := s.Settings
	one := func(name string, period time.Duration, last func(*db.Run) *time.Time, run func(context.Context, *db.Run) error) periodicRun {
		return periodicRun{name: name, period: period, last: last, do: run}
	}
	planning = []periodicRun{
		one("plan", set.BackupServicePeriod.Std(), func(b *db.Run) *time.Time { return b.PlannedAt }, s.Plan),
		one("retention", set.RetentionServicePeriod.Std(), func(b *db.Run) *time.Time { return b.RetentionAt }, s.Retention),
		one("reconcile", set.ReconcilePeriod.Std(), comparedInTerm, s.Reconcile),
		one("report", min(reportGrid, set.ReportPeriod.Std()), func(b *db.Run) *time.Time { return b.ReportedAt }, s.Report),
	}
	dispatch = []periodicRun{
		one("dispatch", set.PollPeriod.Std(), func(b *db.Run) *time.Time { return b.DispatchedAt }, s.Dispatch),
	}
	dispatch[0].atOnce = true
	return planning, dispatch
}
