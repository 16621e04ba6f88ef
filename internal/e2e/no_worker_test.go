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

// If no worker takes tasks, or the queue is down, every view reports it first after a minute, and only as long as it lasts.
func TestMissingWorkersAreReportedFirst(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	warnings := func() (all []string) {
		require.NoError(t, w.DB.Snapshot(w.Ctx, func(l *db.Snapshot) error {
			leader, err := l.Leader(w.Ctx)
			leader.Leads = true // the test runs the leader's runs
			_, found := view.Leading(l.Now, leader, nil, w.Settings)
			all = view.Each(found, func(one view.Warning) string { return one.Words })
			return err
		}))
		return all
	}
	requireReason := func(reason backup.Reason) {
		t.Helper()
		w.Dispatch()
		for _, one := range []backup.Reason{backup.NoWorker, backup.QueueUnreachable} {
			require.Len(t, w.findings(one), map[bool]int{true: 1}[one == reason], one)
		}
		switch all := warnings(); reason {
		case "":
			require.NotContains(t, all, backup.NoWorker.Sentence())
		default:
			require.Contains(t, all[0], reason.Sentence())
		}
	}
	requireReason("")
	w.StopWorker()
	requireReason("")
	w.Step(59 * time.Second)
	requireReason("")
	w.Step(time.Second)
	requireReason(backup.NoWorker)
	require.Equal(t, 1, w.metric("staffeln_findings", "reason", "no_worker"))
	require.Contains(t, w.doctor(4, nil)["queue"][0], "error: no worker is alive")

	lost, err := tasks.Connect(w.RedisURL)
	require.NoError(t, err)
	require.NoError(t, lost.Close())
	here := w.Scheduler.Queue
	w.Scheduler.Queue = tasks.NewClient(lost, zerolog.Nop(), telemetry.NewMetrics())
	requireReason(backup.NoWorker) // the queue is another problem, and only since a moment
	w.Step(time.Minute)
	requireReason(backup.QueueUnreachable)
	w.Scheduler.Queue = here
	w.Step(time.Second)
	requireReason("") // Redis is back, and the minute without a worker begins again
	w.Step(time.Minute)
	requireReason(backup.NoWorker)
	w.StopWorker = w.StartWorker()
	testkit.Eventually(t, "the worker is known", time.Minute, func() bool {
		n, err := here.Workers(w.Ctx)
		return err == nil && n > 0
	})
	w.Step(time.Second)
	requireReason("")
	require.Equal(t, 2, w.logged("error", "finding", "no_worker"))
	require.Equal(t, 1, w.logged("error", "finding", "queue_unreachable"))
}
