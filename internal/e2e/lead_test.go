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

// A leader that is deposed in the middle of its plan writes nothing of it, nor
// of any other beat; the new one goes on.
func TestDeposedInTheMiddle(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 2)
	old := w.beat()
	remove := w.sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/volumes/detail", Times: 1, Do: cloudsim.Stall{}})
	planned := make(chan error, 1)
	go func() { planned <- w.sched.Plan(w.ctx, old) }()
	w.stalled(1)
	w.reign()
	remove()
	require.ErrorIs(t, <-planned, db.ErrDeposed)
	require.Zero(t, w.count("true"))
	require.Zero(t, w.volumes("true"))

	w.beats()
	require.Equal(t, 2, w.count("state = 'creating'"))
	w.step(time.Minute)
	for name, beat := range map[string]func(context.Context, *db.Beat) error{
		"dispatch run": w.sched.Dispatch, "retention": w.sched.Retention, "sweep": w.sched.Sweep, "plan": w.sched.Plan,
	} {
		require.ErrorIs(t, beat(w.ctx, old), db.ErrDeposed, name)
	}
	require.Equal(t, 0, w.count("last_seen_at IS NOT NULL"))
	w.dispatch()
	for _, v := range volumes {
		require.Equal(t, "available", w.story(v))
	}
	w.lawful()
}

// Two schedulers run on the real clock: one leads. When its database session
// ends, the other one does, and what was begun is brought to its end.
func TestTheOtherTakesTheLead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.PollPeriod, set.BackupMinInterval = backup.Duration(2*time.Second), backup.Duration(day)
		o.Now, o.BackupTime = nil, cloudsim.Fixed(12*time.Second)
	})
	w.exec(`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()'`)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 2)
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 2)
	for _, name := range []string{"one", "two"} {
		go func() { ended <- w.sched.Run(ctx, w.url, name) }()
	}
	defer func() {
		cancel()
		require.NoError(t, <-ended)
		require.NoError(t, <-ended)
	}()
	leader := func() (name string, term int64) {
		require.NoError(t, w.pool.QueryRow(w.ctx, `SELECT leader, term FROM leadership`).Scan(&name, &term))
		return name, term
	}
	w.eventually("backups are being made", func() bool { return w.count("state = 'creating' AND backup_id IS NOT NULL") == 2 })
	first, term := leader()
	require.Contains(t, []string{"one", "two"}, first)
	kill := func() {
		w.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'staffeln leader' AND datname = current_database()`)
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
	w.eventually("it brings the backups to their end", func() bool { return w.count("state = 'available'") == 2 })
	for _, v := range volumes {
		require.Len(t, w.sim.BackupsOf(v), 1)
	}
	w.lawful()
}
