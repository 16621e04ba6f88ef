package e2e

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const volumesRoute = "GET /volume/v3/{project}/volumes/detail"

// startScheduler runs a scheduler on the real clock until the test ends.
func (w *environment) startScheduler() {
	w.Exec(`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp()'`)
	ctx, cancel := context.WithCancel(w.Ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.Scheduler.Run(ctx, w.URL, "one") }()
	w.T.Cleanup(func() {
		cancel()
		require.NoError(w.T, <-ended)
	})
}

func (w *environment) dispatchedAt() (at time.Time) {
	w.T.Helper()
	require.NoError(w.T, w.Pool.QueryRow(w.Ctx, `SELECT coalesce(dispatched_at, 'epoch') FROM leadership`).Scan(&at))
	return at
}

// While a plan hangs in a page of a listing, backups are admitted, requested, polled and recorded.
func TestDispatchDoesNotWaitForAPlan(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.PollPeriod, set.BackupMinInterval = backup.Duration(time.Second), backup.Duration(day)
		o.Now, o.BackupTime = nil, cloudsim.Fixed(3*time.Second)
	})
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Plan()
	w.Exec(`UPDATE leadership SET planned_at = NULL`)
	release := w.Sim.AddFault(cloudsim.Fault{Route: volumesRoute, Times: 1, Do: cloudsim.Stall{}})
	defer release()
	w.startScheduler()
	w.waitForFaults(1)
	for range 5 {
		before := w.dispatchedAt()
		w.eventually("another dispatch while the plan hangs", func() bool { return w.dispatchedAt().After(before) })
	}
	w.eventually("the backup is made and recorded while the plan hangs", func() bool { return w.Count("state = 'available'") == 1 })
	require.Len(t, w.Sim.BackupsOf(volumes[0]), 1)
	var planned *time.Time
	require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT planned_at FROM leadership`).Scan(&planned))
	require.Nil(t, planned, "the plan still hangs")
	release()
	w.eventually("the plan ends", func() bool {
		require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT planned_at FROM leadership`).Scan(&planned))
		return planned != nil
	})
}

// A leader loses its leadership while its plan hangs: both of its loops end before another term begins in the process.
func TestLostLeadershipEndsAHangingPlan(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.PollPeriod = backup.Duration(time.Second)
		o.Now = nil
	})
	w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	defer w.Sim.AddFault(cloudsim.Fault{Route: volumesRoute, Times: 1, Do: cloudsim.Stall{}})()
	w.startScheduler()
	w.waitForFaults(1)
	var term, now int64
	require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT term FROM leadership`).Scan(&term))
	w.Exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'staffeln leader' AND datname = current_database()`)
	w.eventually("it leads again, and plans", func() bool {
		var planned bool
		require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT term, planned_at IS NOT NULL FROM leadership`).Scan(&now, &planned))
		return planned && now > term
	})
	require.Equal(t, 1, w.logged("warn"), "one warning: leadership was lost")
}

// A failing plan is retried with growing back-off, at most its period, and delays nothing else.
func TestFailingPlanBacksOffAlone(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	turn := func() { _, _ = w.Scheduler.Turn(w.Ctx, w.Term); w.Drain() }
	turn()
	lists := []string{volumesRoute, "GET /compute/v2.1/servers/detail", "GET /identity/v3/projects"}
	endFault := w.Sim.AddFault(cloudsim.Fault{Match: func(r cloudsim.Request) bool { return slices.Contains(lists, r.Route) }, Do: cloudsim.Refuse{Status: http.StatusForbidden}})
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Sim.ResetCounts()
	for range 60 { // a service period
		turn()
		w.Step(w.Settings.PollPeriod.Std())
	}
	tries := w.Sim.Counts()[volumesRoute]
	require.Less(t, tries, 12, "3 s, doubled each time")
	require.Greater(t, tries, 4)
	require.Equal(t, "available", w.History(volumes[0]), "dispatch continues")
	require.Equal(t, 1, w.logged("error", `"run":"plan"`), "logged when it begins")
	endFault()
	w.Step(w.Settings.BackupServicePeriod.Std())
	turn()
	require.Equal(t, 1, w.logged("info", `"run":"plan"`, "run succeeded again"), "and when it ends")
	require.Equal(t, 1, w.logged("error", `"run":"plan"`))
	w.requireInvariants()
}
