package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
	"staffeln/tasks"
)

func (w *environment) eventually(what string, condition func() bool) {
	w.T.Helper()
	testkit.Eventually(w.T, what, time.Minute, condition)
}

// A handler that continues after the end of its lease writes nothing: another handler has the volume's lease, and finds the
// backup by its tag.
func TestHandlerWithoutLeaseRecordsNoCreation(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	release := w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.Stall{}})
	w.Plan()
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	w.waitForFaults(1)
	w.Step(tasks.LeaseTime + time.Second)
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	w.eventually("another handler reads the backups", func() bool { return w.LastRecord(volumes[0]).Reason == backup.ResponseUnknown })
	require.Equal(t, 1, w.Sim.Counts()[rig.CreateRoute], "no second request")
	release()
	w.Drain()
	require.Equal(t, 1, w.logged("warn", "lease lost, nothing written"))
	require.Len(t, w.Sim.BackupsOf(volumes[0]), 1)
	require.Empty(t, w.LastRecord(volumes[0]).BackupID, "the late response was not written")
	w.Step(time.Minute)
	w.Dispatch()
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, "available", w.History(volumes[0]))
	require.Len(t, w.Sim.BackupsOf(volumes[0]), 1)
	require.Equal(t, 1, w.logged("info", "backup adopted by its tag"))
	w.requireInvariants()
}

// The same for a removal: the late response is not written, and the next run reads the result from Cinder.
func TestHandlerWithoutLeaseRecordsNoRemoval(t *testing.T) {
	t.Parallel()
	w, volume, _ := withExpired(t, false)
	release := w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: cloudsim.Stall{}})
	w.Retention()
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	w.waitForFaults(1)
	w.Step(tasks.LeaseTime + time.Second)
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	w.eventually("another handler asks", func() bool { return len(w.events(cloudsim.BackupDeletion, volume)) == 1 })
	release()
	w.Drain()
	require.Equal(t, "deleting", w.History(volume))
	w.Step(15 * time.Minute)
	w.Dispatch()
	require.Equal(t, "deleted", w.History(volume))
	require.Len(t, w.events(cloudsim.BackupDeletion, volume), 1)
	w.requireInvariants()
}
