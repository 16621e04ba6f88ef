package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// ripe is a world with one volume whose only restore point, encrypted or not,
// is just past its retention and no longer protected.
func ripe(t *testing.T, encrypted bool, changes ...func(*backup.Settings, *cloudsim.Options)) (w *world, volumeID, backupID string) {
	t.Helper()
	w = daily(t, append(changes, slow, func(set *backup.Settings, _ *cloudsim.Options) {
		set.RetentionServicePeriod = backup.Duration(time.Hour)
	})...)
	acme := w.sim.AddProject("acme")
	server := w.sim.AddServer(acme, "web-1", map[string]string{w.set.BackupMetadataKey: "true"})
	volumeID = w.sim.AddVolume(acme, "data", 1, cloudsim.VolumeOptions{Encrypted: encrypted})
	w.sim.Attach(server, volumeID)
	w.run(2*time.Hour, time.Hour)
	w.sim.DeleteServer(server)
	w.run(3*day-2*time.Hour, 6*time.Hour)
	require.Equal(t, "available", w.story(volumeID))
	return w, volumeID, w.last(volumeID).BackupID
}

// A lost answer to a deletion changes nothing about what becomes of it: it was
// ours, and not somebody else's.
func TestLostAnswerToADeletion(t *testing.T) {
	for name, effect := range map[string]cloudsim.Effect{"no answer": cloudsim.DropAfterEffect{}, "garbage": cloudsim.GarbageBody{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, volume, _ := ripe(t, false)
			w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: effect})
			w.beats()
			require.Equal(t, "deleting", w.story(volume))
			w.step(5 * time.Minute)
			w.beats()
			require.Equal(t, "deleting", w.story(volume), "Cinder still deletes")
			w.step(10 * time.Minute)
			w.beats()
			require.Equal(t, "deleted", w.story(volume))
			require.Equal(t, backup.RetentionOver, w.last(volume).RemovalReason)
			w.sweep()
			require.Zero(t, w.count("state = 'lost'"))
			w.lawful()
		})
	}
}

// The 404 of a Cinder without a backup service is no proof: the backup is there.
func TestDeletionWithoutBackupService(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, false)
	w.sim.SetBackupService(false)
	w.beats()
	require.Equal(t, "deleting", w.story(volume), "asked for, and neither done nor refused")
	w.step(time.Hour)
	w.beats()
	require.Equal(t, "deleting", w.story(volume))
	_, there := w.sim.Backup(id)
	require.True(t, there)
	w.sim.SetBackupService(true)
	w.run(time.Hour, 15*time.Minute)
	require.Equal(t, "deleted", w.story(volume))
	w.lawful()
}

// A removal that ends in error_deleting can't be repeated: it is told, and
// looked at daily.
func TestDeletionThatFails(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, false)
	w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.run(2*time.Hour, 15*time.Minute)
	r := w.last(volume)
	require.Equal(t, backup.Undeletable, r.State)
	require.Equal(t, backup.DeletionStuck, r.RemovalReason)
	require.Contains(t, r.RemovalText, "error_deleting")
	require.Contains(t, r.RemovalText, "I/O error")
	require.Equal(t, 1, w.logged("error", "backup can't be removed", id))
	w.run(23*time.Hour, time.Hour)
	require.Equal(t, 1, w.logged("error", "backup can't be removed", id), "not told every hour")
	w.sim.SetBackupStatus(id, "error") // the operator's reset
	w.run(27*time.Hour, time.Hour)
	require.Equal(t, "deleted", w.story(volume))
	w.lawful()
}

// A dependent that nobody sees in the project's listing makes Cinder refuse:
// the restore point stays one. A refusal that lasts a day is told.
func TestDeletionRefused(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, false)
	remove := w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Do: cloudsim.Refuse{
		Status: http.StatusBadRequest, Body: `{"badRequest": {"code": 400, "message": "Invalid backup: Incremental backups exist for this backup."}}`,
	}})
	w.beats()
	r := w.last(volume)
	require.Equal(t, backup.Available, r.State)
	require.Equal(t, backup.HasDependents, r.RemovalReason)
	require.Contains(t, r.RemovalText, "Incremental backups exist for this backup")
	w.run(23*time.Hour, time.Hour)
	require.Equal(t, backup.Available, w.last(volume).State)
	w.run(3*time.Hour, time.Hour)
	require.Equal(t, backup.Undeletable, w.last(volume).State)
	require.Equal(t, 1, w.logged("error", "backup can't be removed", id))
	tried := w.sim.Counts()[deleteRoute]
	w.run(20*time.Hour, time.Hour)
	require.Equal(t, tried, w.sim.Counts()[deleteRoute], "from now on daily")
	remove()
	w.run(8*time.Hour, time.Hour)
	require.Equal(t, "deleted", w.story(volume))
	w.lawful()
}

// Without the right to the secret a deletion would destroy the data and hang:
// it is not asked for.
func TestDeletionWithoutSecretRights(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, true)
	service, acme := w.sim.Cast().Service, w.sim.Project("acme")
	w.sim.RevokeInherited(service, "default", "admin")
	w.sim.GrantInherited(service, "default", "member")
	w.beats()
	r := w.last(volume)
	require.Equal(t, backup.Available, r.State)
	require.Equal(t, backup.SecretRightUnknown, r.RemovalReason)
	require.Equal(t, backup.Operator, r.RemovalReason.Whose())
	require.Zero(t, w.sim.Counts()[deleteRoute], "never asked for")
	b, _ := w.sim.Backup(id)
	require.True(t, b.Restorable)
	w.sim.Grant(service, acme, "creator")
	w.run(3*time.Hour, 30*time.Minute)
	require.Equal(t, "deleted", w.story(volume))
	require.Empty(t, w.events(cloudsim.BackupHangs, volume))
	w.lawful()
}

// A removal that never ends, as that of an encrypted backup whose key can't be
// deleted, is told after the time that a backup may take; no request repeats it.
func TestDeletionThatHangs(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, true)
	w.sim.SetKeyManager(false) // the roles look right, and the key stays
	w.run(5*time.Hour, 30*time.Minute)
	require.Equal(t, "deleting", w.story(volume))
	w.run(2*time.Hour, 30*time.Minute)
	r := w.last(volume)
	require.Equal(t, backup.Undeletable, r.State)
	require.Equal(t, backup.DeletionStuck, r.RemovalReason)
	require.Equal(t, 1, w.logged("error", "backup can't be removed", id))
	require.Equal(t, 1, w.sim.Counts()[deleteRoute])
	w.sim.RemoveBackup(id) // the operator's cure
	w.run(26*time.Hour, time.Hour)
	require.Equal(t, "deleted", w.story(volume))
	w.lawful()
}

// A removal that ends in error, where it began with a restore point, is asked
// for again.
func TestDeletionThatEndsInError(t *testing.T) {
	t.Parallel()
	w, volume, _ := ripe(t, false)
	w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: cloudsim.FailLater{Reason: "I/O error"}})
	w.run(2*time.Hour, 15*time.Minute)
	require.Equal(t, "deleted", w.story(volume))
	require.Equal(t, 2, w.sim.Counts()[deleteRoute])
	w.lawful()
}
