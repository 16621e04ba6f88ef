package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A transferred volume begins a chain in its new project; what the old one
// owns goes by its retention, with the old project's token.
func TestVolumeTransferred(t *testing.T) {
	t.Parallel()
	w := daily(t, slow)
	acme, globex := w.sim.AddProject("acme"), w.sim.AddProject("globex")
	server, volumes := w.protect(acme, "web-1", 1)
	target, _ := w.protect(globex, "web-2", 0)
	w.run(2*day-time.Hour, time.Hour)
	w.step(time.Hour)
	w.plan()
	require.Equal(t, "available available planned", w.story(volumes[0]))
	w.sim.Detach(server, volumes[0])
	w.sim.TransferVolume(volumes[0], globex)
	w.sim.Attach(target, volumes[0])
	w.step(6 * time.Hour)
	w.plan()
	require.Equal(t, backup.ProjectChanged, w.last(volumes[0]).Reason)
	require.Equal(t, backup.Withdrawn, w.last(volumes[0]).State)
	w.step(6 * time.Hour)
	w.run(4*day, 3*time.Hour)

	require.Empty(t, w.rows("project_id = $1 AND state NOT IN ('deleted', 'withdrawn')", acme), "no floor in the project that lost it")
	require.Equal(t, 4, w.count("project_id = $1 AND state <> 'deleted'", globex))
	require.Equal(t, backup.Full, w.rows("project_id = $1", globex)[0].Kind)
	for _, e := range w.events(cloudsim.BackupDeletion, volumes[0]) {
		require.Equal(t, acme, e.Token)
	}
	w.lawful()
}

// That a listing lacks backups is believed of a few, each asked for by ID; of
// many, our view of the cloud is broken and nothing is written.
func TestManyLosses(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
	})
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 30)
	w.beats()
	w.step(time.Minute)
	w.dispatch()
	require.Equal(t, 30, w.count("state = 'available'"))
	for _, v := range volumes[:10] {
		w.sim.RemoveBackup(w.last(v).BackupID)
	}
	w.step(time.Minute)
	w.sweep()
	require.Equal(t, 10, w.count("state = 'lost'"))
	require.Equal(t, 20, w.count("state = 'available'"))
	for _, v := range volumes[10:21] {
		w.sim.RemoveBackup(w.last(v).BackupID)
	}
	w.step(time.Minute)
	require.ErrorContains(t, w.sched.Sweep(w.ctx, w.beat()), "11 of 20 restore points")
	require.Equal(t, 10, w.count("state = 'lost'"), "nothing was written")
}

// Another installation may share the cloud and its service user, as a cloned
// database does that woke up under a new name: its backups are not ours.
func TestOtherInstallation(t *testing.T) {
	t.Parallel()
	w := daily(t, slow)
	server, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.run(day, 6*time.Hour)
	tag := backup.Tag{Installation: "11111111-2222-4333-8444-555555555555", Record: w.last(volumes[0]).ID}.Metadata()
	theirs := w.sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], Metadata: tag})
	w.sweep()
	require.Len(t, w.rows("true"), 1, "no record of it")
	w.sim.DeleteServer(server)
	w.run(5*day, 6*time.Hour)
	b, there := w.sim.Backup(theirs)
	require.True(t, there)
	require.Equal(t, "available", b.Status)
	require.Equal(t, "deleted", w.story(volumes[0]), "only ours goes")
	w.lawful()
}
