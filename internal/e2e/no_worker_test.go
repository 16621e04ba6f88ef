package e2e

import (
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/tasks"
	"staffeln/view"
)

// With nobody to take tasks, or without the queue, nothing happens: after a minute each view says so first, and no longer
// than it lasts.
func TestNobodyTakesTasksIsToldFirst(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.protect(w.sim.AddProject("acme"), "web-1", 1)
	warnings := func() (all []string) {
		require.NoError(t, w.db.Look(w.ctx, func(l *db.Look) error {
			leader, err := l.Leader(w.ctx)
			leader.Leads = true // the test does
			_, all = view.Leading(l.Now, leader, w.set)
			return err
		}))
		return all
	}
	standing := func(reason backup.Reason) {
		t.Helper()
		w.dispatch()
		for _, one := range []backup.Reason{backup.NoWorker, backup.QueueAway} {
			require.Len(t, w.findings(one), map[bool]int{true: 1}[one == reason], one)
		}
		switch all := warnings(); reason {
		case "":
			require.NotContains(t, all, backup.NoWorker.Sentence())
		default:
			require.Contains(t, all[0], reason.Sentence())
		}
	}
	standing("")
	w.stop()
	standing("")
	w.step(59 * time.Second)
	standing("")
	w.step(time.Second)
	standing(backup.NoWorker)
	require.Equal(t, 1, w.metric("staffeln_findings", "reason", "no_worker"))
	require.Contains(t, w.doctor(4, nil)["queue"][0], "error: no worker is alive")

	lost, err := tasks.Connect(w.redisURL)
	require.NoError(t, err)
	require.NoError(t, lost.Close())
	here := w.sched.Queue
	w.sched.Queue = tasks.NewClient(lost, zerolog.Nop(), telemetry.NewMetrics())
	standing(backup.NoWorker) // it is another trouble, and not for long yet
	w.step(time.Minute)
	standing(backup.QueueAway)
	w.sched.Queue = here
	w.step(time.Second)
	standing("") // Redis is back, and how long no worker is alive is counted anew
	w.step(time.Minute)
	standing(backup.NoWorker)
	w.stop = w.serve()
	testkit.Eventually(t, "the worker is known", time.Minute, func() bool {
		n, err := here.Workers(w.ctx)
		return err == nil && n > 0
	})
	w.step(time.Second)
	standing("")
	require.Equal(t, 2, w.logged("warn", "finding", "no_worker"))
	require.Equal(t, 1, w.logged("warn", "finding", "queue_away"))
}
