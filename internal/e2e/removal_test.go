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

// withExpired returns an environment with an unprotected volume whose only restore point, encrypted or not, has just expired.
func withExpired(t *testing.T, encrypted bool, changes ...func(*backup.Settings, *cloudsim.Options)) (w *environment, volumeID, backupID string) {
	t.Helper()
	w = daily(t, append(changes, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) {
		set.RetentionServicePeriod = backup.Duration(time.Hour)
	})...)
	acme := w.Sim.AddProject("acme")
	server := w.Sim.AddServer(acme, "web-1", map[string]string{w.Settings.BackupMetadataKey: "true"})
	volumeID = w.Sim.AddVolume(acme, "data", 1, cloudsim.VolumeOptions{Encrypted: encrypted})
	w.Sim.Attach(server, volumeID)
	w.Advance(2*time.Hour, time.Hour)
	w.Sim.DeleteServer(server)
	w.Advance(3*day-2*time.Hour, 6*time.Hour)
	require.Equal(t, "available", w.History(volumeID))
	return w, volumeID, w.LastRecord(volumeID).BackupID
}

// If Cinder's response to a deletion is lost, the removal still counts as ours, not as a removal by others.
func TestDeletionWithLostResponseCountsAsOurs(t *testing.T) {
	for name, effect := range map[string]cloudsim.Effect{"no response": cloudsim.DropAfterEffect{}, "garbage": cloudsim.GarbageBody{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, volume, _ := withExpired(t, false)
			w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: effect})
			w.RunDue()
			require.Equal(t, "deleting", w.History(volume))
			w.Step(5 * time.Minute)
			w.RunDue()
			require.Equal(t, "deleting", w.History(volume), "Cinder still deletes")
			w.Step(10 * time.Minute)
			w.RunDue()
			require.Equal(t, "deleted", w.History(volume))
			require.Equal(t, backup.RetentionOver, w.LastRecord(volume).RemovalReason)
			w.Reconcile()
			require.Zero(t, w.Count("state = 'lost'"))
			w.requireInvariants()
		})
	}
}

// A 404 from a Cinder without a backup service proves nothing: the backup still exists.
func TestDeletionWithoutBackupService(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, false)
	w.Sim.SetBackupService(false)
	w.RunDue()
	require.Equal(t, "deleting", w.History(volume), "asked for, and neither done nor refused")
	w.Step(time.Hour)
	w.RunDue()
	require.Equal(t, "deleting", w.History(volume))
	_, there := w.Sim.Backup(id)
	require.True(t, there)
	w.Sim.SetBackupService(true)
	w.Advance(time.Hour, 15*time.Minute)
	require.Equal(t, "deleted", w.History(volume))
	w.requireInvariants()
}

// A removal that ends in error_deleting cannot be repeated: it is reported and checked daily.
func TestDeletionThatEndsInErrorDeletingIsReported(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, false)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.Advance(2*time.Hour, 15*time.Minute)
	r := w.LastRecord(volume)
	require.Equal(t, backup.Undeletable, r.State)
	require.Equal(t, backup.DeletionStuck, r.RemovalReason)
	require.Contains(t, r.RemovalText, "error_deleting")
	require.Contains(t, r.RemovalText, "I/O error")
	require.Equal(t, 1, w.logged("error", "backup not removable", id))
	w.Advance(23*time.Hour, time.Hour)
	require.Equal(t, 1, w.logged("error", "backup not removable", id), "not logged every hour")
	w.Sim.SetBackupStatus(id, "error") // the operator resets the status
	w.Advance(27*time.Hour, time.Hour)
	require.Equal(t, "deleted", w.History(volume))
	w.requireInvariants()
}

// Cinder refuses a deletion because of a dependent that the project's listing does not show: the restore point is kept
// available. A refusal that lasts for a day is reported.
func TestRefusedDeletionKeepsTheRestorePoint(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, false)
	remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Do: cloudsim.Refuse{
		Status: http.StatusBadRequest, Body: `{"badRequest": {"code": 400, "message": "Invalid backup: Incremental backups exist for this backup."}}`,
	}})
	w.RunDue()
	r := w.LastRecord(volume)
	require.Equal(t, backup.Available, r.State)
	require.Equal(t, backup.HasDependents, r.RemovalReason)
	require.Contains(t, r.RemovalText, "Incremental backups exist for this backup")
	w.Advance(23*time.Hour, time.Hour)
	require.Equal(t, backup.Available, w.LastRecord(volume).State)
	w.Advance(3*time.Hour, time.Hour)
	require.Equal(t, backup.Undeletable, w.LastRecord(volume).State)
	require.Equal(t, 1, w.logged("error", "backup not removable", id))
	tried := w.Sim.Counts()[rig.DeleteRoute]
	w.Advance(20*time.Hour, time.Hour)
	require.Equal(t, tried, w.Sim.Counts()[rig.DeleteRoute], "from now on daily")
	remove()
	w.Advance(8*time.Hour, time.Hour)
	require.Equal(t, "deleted", w.History(volume))
	w.requireInvariants()
}

// Without access to the secret, a deletion would destroy the data and hang, so it is not requested.
func TestDeletionWithoutSecretRights(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, true)
	service, acme := w.Sim.Cast().Service, w.Sim.Project("acme")
	w.Sim.RevokeInherited(service, "default", "admin")
	w.Sim.GrantInherited(service, "default", "member")
	w.RunDue()
	r := w.LastRecord(volume)
	require.Equal(t, backup.Available, r.State)
	require.Equal(t, backup.SecretRightUnknown, r.RemovalReason)
	require.Equal(t, backup.Operator, r.RemovalReason.Whose())
	require.Zero(t, w.Sim.Counts()[rig.DeleteRoute], "never asked for")
	b, _ := w.Sim.Backup(id)
	require.True(t, b.Restorable)
	w.Sim.Grant(service, acme, "creator")
	w.Advance(3*time.Hour, 30*time.Minute)
	require.Equal(t, "deleted", w.History(volume))
	require.Empty(t, w.events(cloudsim.BackupHangs, volume))
	w.requireInvariants()
}

// A removal that never ends, like that of an encrypted backup whose key cannot be deleted, is reported after the time limit of
// a backup, and not requested again.
func TestDeletionThatHangsIsReported(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, true)
	w.Sim.SetKeyManager(false) // the roles are right, but the key cannot be deleted
	w.Advance(5*time.Hour, 30*time.Minute)
	require.Equal(t, "deleting", w.History(volume))
	w.Advance(2*time.Hour, 30*time.Minute)
	r := w.LastRecord(volume)
	require.Equal(t, backup.Undeletable, r.State)
	require.Equal(t, backup.DeletionStuck, r.RemovalReason)
	require.Equal(t, 1, w.logged("error", "backup not removable", id))
	require.Equal(t, 1, w.Sim.Counts()[rig.DeleteRoute])
	w.Sim.RemoveBackup(id) // the operator's fix
	w.Advance(26*time.Hour, time.Hour)
	require.Equal(t, "deleted", w.History(volume))
	w.requireInvariants()
}

// A removal of a restore point that ends in error is requested again.
func TestDeletionThatEndsInError(t *testing.T) {
	t.Parallel()
	w, volume, _ := withExpired(t, false)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: cloudsim.FailLater{Reason: "I/O error"}})
	w.Advance(2*time.Hour, 15*time.Minute)
	require.Equal(t, "deleted", w.History(volume))
	require.Equal(t, 2, w.Sim.Counts()[rig.DeleteRoute])
	w.requireInvariants()
}
