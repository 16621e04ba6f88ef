package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
)

// A leader that loses its leadership during a plan writes nothing of the plan, nor of any other run. The new leader continues.
func TestLeaderThatLostLeadershipWritesNothing(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	old := w.BeginRun()
	remove := w.Sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/volumes/detail", Times: 1, Do: cloudsim.Stall{}})
	planned := make(chan error, 1)
	go func() { planned <- w.Scheduler.Plan(w.Ctx, old) }()
	w.waitForFaults(1)
	w.Lead()
	remove()
	require.ErrorIs(t, <-planned, db.ErrLostLeadership)
	require.Zero(t, w.Count("true"))
	require.Zero(t, w.countVolumes("true"))

	w.RunDue()
	require.Equal(t, 2, w.Count("state = 'creating'"))
	w.Step(time.Minute)
	for name, run := range map[string]func(context.Context, *db.Run) error{
		"dispatch run": w.Scheduler.Dispatch, "retention": w.Scheduler.Retention, "reconcile": w.Scheduler.Reconcile, "plan": w.Scheduler.Plan,
	} {
		require.ErrorIs(t, run(w.Ctx, old), db.ErrLostLeadership, name)
	}
	require.Equal(t, 0, w.Count("last_seen_at IS NOT NULL"))
	w.Dispatch()
	for _, v := range volumes {
		require.Equal(t, "available", w.History(v))
	}
	w.requireInvariants()
}

// Two schedulers run on the real clock, and one leads. When its database session ends, the other one leads and finishes what
// was begun.
func TestOtherSchedulerTakesLeadership(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.PollPeriod, set.BackupMinInterval = backup.Duration(2*time.Second), backup.Duration(day)
		o.Now, o.BackupTime = nil, cloudsim.Fixed(12*time.Second)
	})
	w.Exec(`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()'`)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	ctx, cancel := context.WithCancel(w.Ctx)
	ended := make(chan error, 2)
	for _, name := range []string{"one", "two"} {
		go func() { ended <- w.Scheduler.Run(ctx, w.URL, name) }()
	}
	defer func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, <-ended)
	}()
	leader := func() (name string, term int64) {
		require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT leader, term FROM leadership`).Scan(&name, &term))
		return name, term
	}
	w.eventually("backups are being made", func() bool { return w.Count("state = 'creating' AND backup_id IS NOT NULL") == 2 })
	first, term := leader()
	require.Contains(t, []string{"one", "two"}, first)
	kill := func() {
		w.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'staffeln leader' AND datname = current_database()`)
	}
	kill()
	w.eventually("the other leads", func() bool {
		name, now := leader()
		if name == first && now > term { // it was quicker than the other
			term = now
			kill()
		}
		return name != first
	})
	w.eventually("it brings the backups to their end", func() bool { return w.Count("state = 'available'") == 2 })
	for _, v := range volumes {
		require.Len(t, w.Sim.BackupsOf(v), 1)
	}
	w.requireInvariants()
}
