package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/testkit"
	"staffeln/tasks"
)

func (w *world) eventually(what string, condition func() bool) {
	w.t.Helper()
	testkit.Eventually(w.t, what, time.Minute, condition)
}

// A handler that comes back after its lease writes nothing: another one took
// the volume over, and finds the backup by its tag.
func TestLateCreation(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	release := w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.Stall{}})
	w.plan()
	require.NoError(t, w.sched.Dispatch(w.ctx, w.beat()))
	w.stalled(1)
	w.step(tasks.Lease + time.Second)
	require.NoError(t, w.sched.Dispatch(w.ctx, w.beat()))
	w.eventually("another handler looks for the backup", func() bool { return w.last(volumes[0]).Reason == backup.AnswerUnknown })
	require.Equal(t, 1, w.sim.Counts()[createRoute], "it does not ask again")
	release()
	w.drain()
	require.Equal(t, 1, w.logged("warn", "late: another handler went on, nothing was written"))
	require.Len(t, w.sim.BackupsOf(volumes[0]), 1)
	require.Empty(t, w.last(volumes[0]).BackupID, "the late answer was not written")
	w.step(time.Minute)
	w.dispatch()
	w.step(time.Minute)
	w.dispatch()
	require.Equal(t, "available", w.story(volumes[0]))
	require.Len(t, w.sim.BackupsOf(volumes[0]), 1)
	require.Equal(t, 1, w.logged("info", "backup adopted by its tag"))
	w.lawful()
}

// The same for a removal: the late answer is not written, the next look finds
// what became of it.
func TestLateRemoval(t *testing.T) {
	t.Parallel()
	w, volume, _ := ripe(t, false)
	release := w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: cloudsim.Stall{}})
	w.retention()
	require.NoError(t, w.sched.Dispatch(w.ctx, w.beat()))
	w.stalled(1)
	w.step(tasks.Lease + time.Second)
	require.NoError(t, w.sched.Dispatch(w.ctx, w.beat()))
	w.eventually("another handler asks", func() bool { return len(w.events(cloudsim.BackupDeletion, volume)) == 1 })
	release()
	w.drain()
	require.Equal(t, "deleting", w.story(volume))
	w.step(15 * time.Minute)
	w.dispatch()
	require.Equal(t, "deleted", w.story(volume))
	require.Len(t, w.events(cloudsim.BackupDeletion, volume), 1)
	w.lawful()
}
