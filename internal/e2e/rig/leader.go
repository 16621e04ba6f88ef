package rig

import (
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/testkit"
)

// Lead begins a new term, like another leader.
func (w *Environment) Lead() {
	w.T.Helper()
	testkit.Eventually(w.T, "the lead is free", time.Minute, func() bool {
		lead, err := db.Lead(w.Ctx, w.URL, "test")
		if errors.Is(err, db.ErrLed) {
			return false // Postgres has not noticed yet that the last session ended
		}
		require.NoError(w.T, err)
		w.Term = lead.Term
		lead.Resign()
		return true
	})
}

// BeginRun begins a run of the leader.
func (w *Environment) BeginRun() *db.Run {
	w.T.Helper()
	b, err := w.DB.BeginRun(w.Ctx, w.Term)
	require.NoError(w.T, err)
	return b
}

// Plan runs one plan.
func (w *Environment) Plan() {
	w.T.Helper()
	require.NoError(w.T, w.Scheduler.Plan(w.Ctx, w.BeginRun()))
	w.promise()
}

// Retention runs retention once.
func (w *Environment) Retention() {
	w.T.Helper()
	require.NoError(w.T, w.Scheduler.Retention(w.Ctx, w.BeginRun()))
}

// Reconcile runs one comparison of records and cloud.
func (w *Environment) Reconcile() {
	w.T.Helper()
	require.NoError(w.T, w.Scheduler.Reconcile(w.Ctx, w.BeginRun()))
}

// Dispatch runs one dispatch and waits until the worker is idle.
func (w *Environment) Dispatch() {
	w.T.Helper()
	require.NoError(w.T, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	w.Drain()
}

// Drain waits until the queue is empty.
func (w *Environment) Drain() {
	w.T.Helper()
	testkit.Eventually(w.T, "the queue is empty", 10*time.Minute, func() bool {
		var left []*redis.IntCmd
		_, err := w.Redis.TxPipelined(w.Ctx, func(p redis.Pipeliner) error { // in one transaction: tasks move between the lists
			for _, key := range []string{"pending", "active"} {
				left = append(left, p.LLen(w.Ctx, "asynq:{volumes}:"+key))
			}
			for _, key := range []string{"retry", "scheduled"} {
				left = append(left, p.ZCard(w.Ctx, "asynq:{volumes}:"+key))
			}
			return nil
		})
		require.NoError(w.T, err)
		return !slices.ContainsFunc(left, func(n *redis.IntCmd) bool { return n.Val() > 0 })
	})
}

// RunDue runs what a leader would run now.
func (w *Environment) RunDue() {
	b := w.BeginRun()
	due := func(last *time.Time, period backup.Duration) bool {
		return last == nil || backup.Grid(b.Now, period.Std()).After(backup.Grid(*last, period.Std()))
	}
	if due(b.PlannedAt, w.Settings.BackupServicePeriod) {
		w.Plan()
	}
	if due(b.RetentionAt, w.Settings.RetentionServicePeriod) {
		w.Retention()
	}
	w.Dispatch()
}

// Advance advances the clock in steps and runs what is due before each step.
func (w *Environment) Advance(total, step time.Duration) {
	w.T.Helper()
	for end := w.Clock.Now().Add(total); w.Clock.Now().Before(end); w.Step(step) {
		w.RunDue()
	}
}
