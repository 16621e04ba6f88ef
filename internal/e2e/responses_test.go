package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// daily returns an environment whose volumes are backed up once a day, so that an hour of trouble affects one backup.
func daily(t *testing.T, changes ...func(*backup.Settings, *cloudsim.Options)) *environment {
	t.Helper()
	return newEnvironment(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.BackupMinInterval = backup.Duration(24 * time.Hour)
		o.BackupTime = cloudsim.Fixed(30 * time.Second)
		for _, change := range changes {
			change(set, o)
		}
	})
}

// If Cinder's response is lost after Cinder created the backup, the request is not repeated: the backup is found by its tag.
func TestBackupOfALostResponseIsAdopted(t *testing.T) {
	for name, effect := range map[string]cloudsim.Effect{
		"no response": cloudsim.DropAfterEffect{}, "garbage": cloudsim.GarbageBody{}, "half a response": cloudsim.HalfBody{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t)
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
			w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: effect})
			w.RunDue()
			r := w.LastRecord(volumes[0])
			require.Equal(t, backup.Creating, r.State)
			require.Equal(t, backup.ResponseUnknown, r.Reason)
			require.Empty(t, r.BackupID)
			w.Step(time.Minute)
			w.Dispatch()
			require.Equal(t, w.Sim.BackupsOf(volumes[0])[0].ID, w.LastRecord(volumes[0]).BackupID, "adopted in the next run")
			w.Step(time.Minute)
			w.Dispatch()
			require.Equal(t, "available", w.History(volumes[0]))
			w.Advance(time.Hour, 5*time.Minute)
			require.Equal(t, 1, w.Sim.Counts()[rig.CreateRoute])
			require.Len(t, w.Sim.BackupsOf(volumes[0]), 1)
			w.requireInvariants()
		})
	}
}

// A request that was never executed is repeated, but only after POST_SETTLE_TIME.
func TestRequestWithoutResponseIsRepeatedAfterSettleTime(t *testing.T) {
	for name, effect := range map[string]cloudsim.Effect{
		"no response": cloudsim.DropBefore{}, "503": cloudsim.Refuse{Status: http.StatusServiceUnavailable},
		"gateway": cloudsim.Refuse{Status: http.StatusBadGateway, Body: "<html>bad gateway</html>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t)
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
			remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Do: effect})
			w.RunDue()
			remove()
			postSettled := w.Clock.Now().Add(w.Settings.PostSettleTime.Std())
			for w.Step(time.Minute); w.Clock.Now().Before(postSettled); w.Step(time.Minute) {
				w.Dispatch()
				require.Equal(t, 1, w.Sim.Counts()[rig.CreateRoute], "requested again at %s, before %s", w.Clock.Now(), postSettled)
				require.Equal(t, backup.ResponseUnknown, w.LastRecord(volumes[0]).Reason)
			}
			w.Dispatch()
			require.Equal(t, 2, w.Sim.Counts()[rig.CreateRoute], "requested again when POST_SETTLE_TIME is over")
			w.Step(time.Minute)
			w.Dispatch()
			require.Equal(t, "available", w.History(volumes[0]))
			require.Len(t, w.Sim.BackupsOf(volumes[0]), 1)
			require.Equal(t, 2, w.LastRecord(volumes[0]).Attempts)
			w.requireInvariants()
		})
	}
}

// A message broker that comes back executes requests minutes late: within POST_SETTLE_TIME the result is the record's backup.
func TestBackupCreatedLateWithinSettleTimeIsAdopted(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.ExecuteLater{After: 8 * time.Minute}})
	w.Advance(20*time.Minute, time.Minute)
	require.Equal(t, "available", w.History(volumes[0]))
	require.Equal(t, 1, w.Sim.Counts()[rig.CreateRoute])
	require.Len(t, w.Sim.BackupsOf(volumes[0]), 1)
	w.requireInvariants()
}

// A request that is executed after POST_SETTLE_TIME creates a second backup. It gets its own record, and is kept and removed
// like any other.
func TestBackupCreatedAfterSettleTimeGetsItsOwnRecord(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.RetentionTime = backup.Period{Days: 2} })
	server, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.ExecuteLater{After: time.Hour}})
	w.Advance(2*time.Hour, 5*time.Minute)
	require.Equal(t, "FF", w.Kinds(volumes[0]))
	require.Equal(t, "available", w.History(volumes[0]), "before the reconcile run")
	w.Reconcile()
	require.Equal(t, "available available", w.History(volumes[0]))
	require.Equal(t, 1, w.Count("reason = 'twin_backup'"))
	require.Equal(t, 1, w.logged("warn", "duplicate backup of one request"))
	w.Reconcile()
	require.Equal(t, 2, w.Count("true"), "a second reconcile run finds nothing new")
	w.requireInvariants()

	w.Sim.DeleteServer(server) // so that there is no floor
	w.Advance(3*24*time.Hour, time.Hour)
	require.Empty(t, w.Sim.BackupsOf(volumes[0]), "the duplicate is removed when its retention ends")
	w.requireInvariants()
}

// A backup that was created too late and failed is a leftover, and is removed.
func TestBackupThatFailsAfterSettleTimeIsALeftover(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.ExecuteLater{After: time.Hour}})
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.FailLater{Reason: "no space left"}})
	w.Advance(2*time.Hour, 5*time.Minute)
	require.Len(t, w.Sim.BackupsOf(volumes[0]), 2)
	w.Reconcile()
	require.Equal(t, 1, w.Count("reason = 'twin_backup' AND state = 'failed' AND reason_text = 'no space left'"))
	w.Advance(time.Hour, 5*time.Minute)
	require.Equal(t, "F", w.Kinds(volumes[0]))
	w.requireInvariants()
}

// The program waits for the time in the Retry-After header.
func TestRetryAfterIsRespected(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Do: cloudsim.Refuse{
		Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"300"}},
	}})
	w.RunDue()
	remove()
	r := w.LastRecord(volumes[0])
	require.Equal(t, backup.Throttled, r.Reason)
	require.Equal(t, w.Clock.Now().Add(5*time.Minute), r.NextTryAt.UTC())
	for range 4 {
		w.Step(time.Minute)
		w.Dispatch()
		require.Equal(t, 1, w.Sim.Counts()[rig.CreateRoute], "requested again before the time in Retry-After")
	}
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, 2, w.Sim.Counts()[rig.CreateRoute])
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, "available", w.History(volumes[0]))
	w.requireInvariants()
}

// A worker is stopped while Cinder stalls; another worker finishes the record.
func TestStoppedWorkersRequestIsFinishedByAnotherWorker(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.Stall{}})
	w.Plan()
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	w.waitForFaults(1)
	w.StopWorker()
	require.Equal(t, backup.ResponseUnknown, w.LastRecord(volumes[0]).Reason)
	remove()
	w.StartWorker()
	w.Advance(15*time.Minute, time.Minute)
	require.Equal(t, "available", w.History(volumes[0]))
	require.Len(t, w.Sim.BackupsOf(volumes[0]), 1)
	w.requireInvariants()
}
