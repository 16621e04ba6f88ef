package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A transferred volume begins a chain in its new project. The old project's backups expire by their retention and are removed
// with its token.
func TestVolumeTransferred(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme, globex := w.Sim.AddProject("acme"), w.Sim.AddProject("globex")
	server, volumes := w.Protect(acme, "web-1", 1)
	target, _ := w.Protect(globex, "web-2", 0)
	w.Advance(2*day-time.Hour, time.Hour)
	w.Step(time.Hour)
	w.Plan()
	require.Equal(t, "available available planned", w.History(volumes[0]))
	w.Sim.Detach(server, volumes[0])
	w.Sim.TransferVolume(volumes[0], globex)
	w.Sim.Attach(target, volumes[0])
	w.Step(6 * time.Hour)
	w.Plan()
	require.Equal(t, backup.ProjectChanged, w.LastRecord(volumes[0]).Reason)
	require.Equal(t, backup.Withdrawn, w.LastRecord(volumes[0]).State)
	w.Step(6 * time.Hour)
	w.Advance(4*day, 3*time.Hour)

	require.Empty(t, w.Records("project_id = $1 AND state NOT IN ('deleted', 'withdrawn')", acme), "no floor in the project that lost it")
	require.Equal(t, 4, w.Count("project_id = $1 AND state <> 'deleted'", globex))
	require.Equal(t, backup.Full, w.Records("project_id = $1", globex)[0].Kind)
	for _, e := range w.events(cloudsim.BackupDeletion, volumes[0]) {
		require.Equal(t, acme, e.Token)
	}
	w.requireInvariants()
}

// A few backups that a listing lacks are recorded as lost after a read by ID. If many are missing, our view of the cloud is
// wrong, and nothing is written.
func TestManyLossesAreNotRecorded(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
	})
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 30)
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, 30, w.Count("state = 'available'"))
	for _, v := range volumes[:10] {
		w.Sim.RemoveBackup(w.LastRecord(v).BackupID)
	}
	w.Step(time.Minute)
	w.Reconcile()
	require.Equal(t, 10, w.Count("state = 'lost'"))
	require.Equal(t, 20, w.Count("state = 'available'"))
	for _, v := range volumes[10:21] {
		w.Sim.RemoveBackup(w.LastRecord(v).BackupID)
	}
	w.Step(time.Minute)
	require.ErrorContains(t, w.Scheduler.Reconcile(w.Ctx, w.BeginRun()), "11 of 20 restore points")
	require.Equal(t, 10, w.Count("state = 'lost'"), "nothing was written")
}

// Another installation may share the cloud and its service user, for example a cloned database with a new installation ID: its
// backups are not ours.
func TestBackupsOfAnotherInstallationAreNotOurs(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	server, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(day, 6*time.Hour)
	tag := backup.Tag{Installation: "11111111-2222-4333-8444-555555555555", Record: w.LastRecord(volumes[0]).ID}.Metadata()
	theirs := w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], Metadata: tag})
	w.Reconcile()
	require.Len(t, w.Records("true"), 1, "no record of it")
	w.Sim.DeleteServer(server)
	w.Advance(5*day, 6*time.Hour)
	b, there := w.Sim.Backup(theirs)
	require.True(t, there)
	require.Equal(t, "available", b.Status)
	require.Equal(t, "deleted", w.History(volumes[0]), "only our own backup is removed")
	w.requireInvariants()
}
