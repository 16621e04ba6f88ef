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

// forceNotSupported is the response of a driver without forced deletion.
var forceNotSupported = cloudsim.Refuse{Status: http.StatusMethodNotAllowed, Body: `{"badMethod": {"code": 405, "message": "Operation is not supported by backup driver: force delete"}}`}

func stuckReset(set *backup.Settings, _ *cloudsim.Options) { set.StuckReset = true }

// repairs counts the repair steps of one kind with one outcome.
func (w *environment) repairs(kind, outcome string) int {
	w.T.Helper()
	return w.metric("staffeln_repairs_total", "kind", kind, "outcome", outcome)
}

// A failed removal is forced, with a token of the project that owns the backup.
func TestFailedRemovalIsForced(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, false, stuckReset)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.Advance(40*time.Minute, 15*time.Minute)
	forced := w.events(cloudsim.BackupForceDeletion, volume)
	require.Len(t, forced, 1)
	require.Equal(t, w.Sim.Project("acme"), forced[0].Token)
	require.Equal(t, backup.Forced, w.LastRecord(volume).RemovalReason)
	require.Equal(t, 1, w.logged("warn", "stuck backup: force", id, `"reason":"forced"`, `"status":"error_deleting"`))
	w.Advance(40*time.Minute, 10*time.Minute)
	require.Equal(t, "deleted", w.History(volume))
	require.Equal(t, 1, w.repairs("force", "accepted"))
	require.Empty(t, w.events(cloudsim.BackupReset, volume))
	w.requireInvariants()
}

// If the driver refuses a forced deletion, the status is set to error at once, and a normal deletion follows.
func TestRefusedForceBecomesAReset(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, false, stuckReset)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.Sim.AddFault(cloudsim.Fault{Route: rig.ActionRoute, Times: 1, Do: forceNotSupported})
	w.Advance(25*time.Minute, 5*time.Minute)
	reset := w.events(cloudsim.BackupReset, volume)
	require.Len(t, reset, 1)
	require.Equal(t, "error", reset[0].Detail)
	require.Equal(t, w.Sim.Project("acme"), reset[0].Token)
	require.Equal(t, 1, w.logged("warn", "stuck backup: force", id, "refused", "not supported by backup driver"))
	require.Equal(t, 1, w.logged("warn", "stuck backup: reset", id, `"reason":"status_reset"`))
	w.Advance(time.Hour, 10*time.Minute)
	require.Equal(t, "deleted", w.History(volume))
	require.Len(t, w.events(cloudsim.BackupDeletion, volume), 2)
	require.Equal(t, 1, w.repairs("force", "refused"))
	require.Equal(t, 1, w.repairs("reset", "accepted"))
	w.requireInvariants()
}

// A forced deletion without effect is followed by a reset. If the backup hangs even then, it is reported, and the steps begin
// again a day later.
func TestForcedDeletionWithoutEffectBecomesAReset(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, false, stuckReset)
	fails := cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}
	endDeleteFault := w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Do: fails})
	endForceFault := w.Sim.AddFault(cloudsim.Fault{Route: rig.ActionRoute, Do: fails})
	w.Advance(30*time.Minute, 10*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1)
	require.Empty(t, w.events(cloudsim.BackupReset, volume), "force has its time")
	w.Advance(3*time.Hour, 10*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1)
	require.Len(t, w.events(cloudsim.BackupReset, volume), 1)
	require.Len(t, w.events(cloudsim.BackupDeletion, volume), 2)
	r := w.LastRecord(volume)
	require.Equal(t, backup.Undeletable, r.State)
	require.Equal(t, backup.DeletionStuck, r.RemovalReason)
	require.Contains(t, r.RemovalText, "set to error and hangs again")
	require.Contains(t, r.RemovalText, "restart cinder-backup")
	require.Equal(t, 1, w.logged("error", "backup not removable", id))
	w.Advance(20*time.Hour, time.Hour)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1, "it rests")
	endDeleteFault()
	endForceFault()
	w.Advance(8*time.Hour, 30*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 2, "and begins anew")
	require.Equal(t, "deleted", w.History(volume))
	w.requireInvariants()
}

// The removal of an encrypted backup with an inaccessible key hangs in deleting; a forced deletion with the owning project's
// token ends it.
func TestHangingRemovalOfAnEncryptedBackupIsForced(t *testing.T) {
	t.Parallel()
	w, volume, _ := withExpired(t, true, stuckReset)
	w.Sim.SetKeyManager(false)
	w.Advance(5*time.Hour, 30*time.Minute)
	require.Empty(t, w.events(cloudsim.BackupForceDeletion, volume), "not before its time")
	w.Sim.SetKeyManager(true)
	w.Advance(3*time.Hour, 30*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1)
	require.Equal(t, "deleted", w.History(volume))
	w.requireInvariants()
}

// Without access to the secret neither a forced deletion nor a reset is requested: it would destroy the data and hang again.
func TestEncryptedBackupsAreNotForcedWithoutTheRight(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, true, stuckReset)
	w.Sim.SetKeyManager(false)
	w.Advance(5*time.Hour, 30*time.Minute)
	service := w.Sim.Cast().Service
	w.Sim.RevokeInherited(service, "default", "admin")
	w.Sim.GrantInherited(service, "default", "member")
	w.Advance(3*time.Hour, 30*time.Minute)
	require.Zero(t, w.Sim.Counts()[rig.ActionRoute])
	r := w.LastRecord(volume)
	require.Equal(t, backup.Undeletable, r.State)
	require.Equal(t, backup.SecretRightUnknown, r.RemovalReason)
	require.Equal(t, 1, w.logged("error", "backup not removable", id, string(backup.SecretRightUnknown)))
	require.Equal(t, 1, w.repairs("force", "refused"))
	require.Zero(t, w.repairs("reset", "accepted")+w.repairs("reset", "refused"))
	w.requireInvariants()
}

// A step without a response is repeated.
func TestRepairStepsWithoutResponseAreRepeated(t *testing.T) {
	t.Parallel()
	w, volume, _ := withExpired(t, false, stuckReset)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.Sim.AddFault(cloudsim.Fault{Route: rig.ActionRoute, Times: 1, Do: cloudsim.DropBefore{}})
	w.Advance(2*time.Hour, 10*time.Minute)
	require.Equal(t, "deleted", w.History(volume))
	require.Equal(t, 1, w.repairs("force", "unknown"))
	require.Equal(t, 1, w.repairs("force", "accepted"))
	require.Empty(t, w.events(cloudsim.BackupReset, volume))
	w.requireInvariants()
}

// Without the operator's permission nothing is forced or reset; the record states what to do.
func TestNothingIsForcedWithoutPermission(t *testing.T) {
	t.Parallel()
	w, volume, id := withExpired(t, false)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.DeleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.Advance(2*day, 3*time.Hour)
	require.Zero(t, w.Sim.Counts()[rig.ActionRoute])
	r := w.LastRecord(volume)
	require.Equal(t, backup.Undeletable, r.State)
	for _, words := range []string{"error_deleting", "I/O error", "--force " + id, "--state error " + id, "STAFFELN_STUCK_RESET=true"} {
		require.Contains(t, r.RemovalText, words)
	}
	require.Zero(t, w.repairs("force", "accepted"))
}

// withHanging returns an environment with one backup that never ends, an hour after its deadline would be over.
func withHanging(t *testing.T, changes ...func(*backup.Settings, *cloudsim.Options)) (w *environment, volumeID string) {
	t.Helper()
	w = daily(t, append(changes, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) {
		set.BackupCycleTimeout, set.RetentionServicePeriod = backup.Duration(time.Hour), backup.Duration(20*time.Minute)
	})...)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.Stick{}})
	w.Advance(time.Hour, 20*time.Minute)
	w.Dispatch()
	require.Equal(t, "overdue", w.History(volumes[0]))
	return w, volumes[0]
}

// An overdue backup that cannot be force-deleted is set to error; its record fails, and the backup is removed like any
// leftover.
func TestOverdueBackupIsReset(t *testing.T) {
	t.Parallel()
	w, volume := withHanging(t, stuckReset)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.ActionRoute, Times: 1, Do: forceNotSupported})
	w.Step(5 * time.Minute)
	w.Dispatch()
	require.Len(t, w.events(cloudsim.BackupReset, volume), 1)
	require.Equal(t, w.Sim.Project("acme"), w.events(cloudsim.BackupReset, volume)[0].Token)
	r := w.LastRecord(volume)
	require.Equal(t, backup.Overdue, r.State)
	require.Equal(t, backup.StatusReset, r.Reason)
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, "failed:status_reset", w.History(volume))
	require.Contains(t, w.LastRecord(volume).ReasonText, "STAFFELN_STUCK_RESET")
	require.Equal(t, backup.Operator, w.LastRecord(volume).Reason.Whose())
	w.Advance(time.Hour, 10*time.Minute)
	require.Equal(t, backup.Deleted, w.RecordsOf(volume)[0].State)
	require.Equal(t, 1, w.repairs("force", "refused"))
	require.Equal(t, 1, w.repairs("reset", "accepted"))
	require.Contains(t, w.RecordsOf(volume)[0].ReasonText, "if the volume remains in backing-up")
	w.Sim.SetVolumeStatus(volume, "in-use") // as the text advises
	w.Advance(day, time.Hour)
	require.Equal(t, backup.Available, w.LastRecord(volume).State, "the volume's backups continue")
	w.requireInvariants()
}

// If the backup finishes after the reset and before the next poll, it is kept. If it finishes after its record failed, it is
// kept for its retention, because its data is good.
func TestResetBackupThatFinishesIsKept(t *testing.T) {
	for name, late := range map[string]bool{"before it failed": false, "after it failed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, volume := withHanging(t, stuckReset)
			w.Sim.AddFault(cloudsim.Fault{Route: rig.ActionRoute, Times: 1, Do: forceNotSupported})
			w.Step(5 * time.Minute)
			w.Dispatch()
			id := w.LastRecord(volume).BackupID
			if late {
				w.StopWorker() // the record fails, and nothing is removed yet
				remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.ListRoute, Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
				w.StartWorker()
				w.Step(time.Minute)
				w.Dispatch()
				require.Equal(t, "failed:status_reset", w.History(volume))
				remove()
			}
			w.Sim.SetBackupStatus(id, "available")
			w.Advance(90*time.Minute, 10*time.Minute)
			if late {
				require.Equal(t, "failed:status_reset", w.History(volume))
				r := w.LastRecord(volume)
				require.NotNil(t, r.NextTryAt, "polled seldom")
				require.Less(t, w.Sim.Counts()["GET /volume/v3/{project}/backups/detail"], 40)
			} else {
				require.Equal(t, "available", w.History(volume))
			}
			_, there := w.Sim.Backup(id)
			require.True(t, there)
			w.requireInvariants()
		})
	}
}

// If neither a forced deletion nor a reset is accepted, the record waits, and both are tried again a day later.
func TestOverdueBackupThatCannotBeRepairedWaits(t *testing.T) {
	t.Parallel()
	w, volume := withHanging(t, stuckReset)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.ActionRoute, Do: forceNotSupported})
	w.Advance(20*time.Hour, 30*time.Minute)
	require.Equal(t, "overdue", w.History(volume))
	require.Equal(t, 2, w.Sim.Counts()[rig.ActionRoute], "one of each")
	w.Advance(6*time.Hour, 30*time.Minute)
	require.Equal(t, 4, w.Sim.Counts()[rig.ActionRoute], "and again a day later")
	w.Sim.RestartBackupService()
	w.Advance(time.Hour, 10*time.Minute)
	require.Equal(t, backup.Deleted, w.RecordsOf(volume)[0].State)
	w.requireInvariants()
}

// A backup that ends between the read and the request is not reset.
func TestFinishedBackupIsNotReset(t *testing.T) {
	t.Parallel()
	w, volume := withHanging(t, stuckReset)
	seen := w.LastRecord(volume)
	b, err := w.Cloud.Backup(w.Ctx, seen.ProjectID, seen.BackupID)
	require.NoError(t, err)
	w.Sim.ReleaseBackup(seen.BackupID)
	require.True(t, backup.Means(w.Cloud.ResetBackup(w.Ctx, b, backup.StatusError), backup.MeansBackupState))
	is, _ := w.Sim.Backup(seen.BackupID)
	require.Equal(t, "available", is.Status)
	w.Step(5 * time.Minute)
	w.Dispatch()
	require.Equal(t, "available", w.History(volume))
	require.Zero(t, w.Sim.Counts()[rig.ActionRoute])
	w.requireInvariants()
}

// A failed leftover whose deletion is never accepted is reported, and forced or reset where that is allowed.
func TestLeftoverThatHangs(t *testing.T) {
	for name, allowed := range map[string]bool{"reported": false, "freed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) { set.StuckReset = allowed })
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
			w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.Stick{}})
			w.RunDue()
			w.Sim.SetBackupStatus(w.LastRecord(volumes[0]).BackupID, "error_deleting") // somebody tried to cancel the backup
			w.Advance(2*time.Hour, 20*time.Minute)
			first := w.RecordsOf(volumes[0])[0]
			if allowed {
				require.Equal(t, backup.Deleted, first.State)
				require.Len(t, w.events(cloudsim.BackupForceDeletion, volumes[0]), 1)
			} else {
				require.Equal(t, backup.Undeletable, first.State)
				require.Equal(t, backup.DeletionStuck, first.RemovalReason)
				require.Equal(t, 1, w.logged("error", "backup not removable", first.BackupID))
			}
			w.requireInvariants()
		})
	}
}

// During a pause there are no repairs.
func TestNothingIsForcedDuringAPause(t *testing.T) {
	t.Parallel()
	w, volume := withHanging(t, stuckReset)
	w.Exec(`INSERT INTO pauses (project_id, since, who, why) VALUES ('', $1, 'me', 'upgrade')`, w.Clock.Now())
	w.Advance(2*time.Hour, 10*time.Minute)
	require.Equal(t, "overdue", w.History(volume))
	require.Zero(t, w.Sim.Counts()[rig.ActionRoute])
	w.Exec(`DELETE FROM pauses`)
	w.Advance(20*time.Minute, 10*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1)
}
