package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// ceph is what a driver answers that can't remove by force.
var ceph = cloudsim.Refuse{Status: http.StatusMethodNotAllowed, Body: `{"badMethod": {"code": 405, "message": "Operation is not supported by backup driver: force delete"}}`}

func stuckReset(set *backup.Settings, _ *cloudsim.Options) { set.StuckReset = true }

// repairs counts the steps of one kind with one outcome.
func (w *world) repairs(kind, outcome string) int {
	w.t.Helper()
	return w.metric("staffeln_repairs_total", "kind", kind, "outcome", outcome)
}

// A removal that failed is forced, in the project that owns the backup.
func TestFailedRemovalIsForced(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, false, stuckReset)
	w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.run(40*time.Minute, 15*time.Minute)
	forced := w.events(cloudsim.BackupForceDeletion, volume)
	require.Len(t, forced, 1)
	require.Equal(t, w.sim.Project("acme"), forced[0].Token)
	require.Equal(t, backup.Forced, w.last(volume).RemovalReason)
	require.Equal(t, 1, w.logged("warn", "stuck backup: force", id, `"reason":"forced"`, `"status":"error_deleting"`))
	w.run(40*time.Minute, 10*time.Minute)
	require.Equal(t, "deleted", w.story(volume))
	require.Equal(t, 1, w.repairs("force", "accepted"))
	require.Empty(t, w.events(cloudsim.BackupReset, volume))
	w.lawful()
}

// Where the driver refuses force, the status is set to error at once, and the
// normal deletion follows.
func TestRefusedForceBecomesAReset(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, false, stuckReset)
	w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.sim.AddFault(cloudsim.Fault{Route: actionRoute, Times: 1, Do: ceph})
	w.run(25*time.Minute, 5*time.Minute)
	reset := w.events(cloudsim.BackupReset, volume)
	require.Len(t, reset, 1)
	require.Equal(t, "error", reset[0].Detail)
	require.Equal(t, w.sim.Project("acme"), reset[0].Token)
	require.Equal(t, 1, w.logged("warn", "stuck backup: force", id, "refused", "not supported by backup driver"))
	require.Equal(t, 1, w.logged("warn", "stuck backup: reset", id, `"reason":"status_reset"`))
	w.run(time.Hour, 10*time.Minute)
	require.Equal(t, "deleted", w.story(volume))
	require.Len(t, w.events(cloudsim.BackupDeletion, volume), 2)
	require.Equal(t, 1, w.repairs("force", "refused"))
	require.Equal(t, 1, w.repairs("reset", "accepted"))
	w.lawful()
}

// Force that comes to nothing is followed by a reset, and what hangs even then
// is given up, told, and begun anew a day later.
func TestForceInVainBecomesAResetAndThenRests(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, false, stuckReset)
	fails := cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}
	mendDelete := w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Do: fails})
	mendForce := w.sim.AddFault(cloudsim.Fault{Route: actionRoute, Do: fails})
	w.run(30*time.Minute, 10*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1)
	require.Empty(t, w.events(cloudsim.BackupReset, volume), "force has its time")
	w.run(3*time.Hour, 10*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1)
	require.Len(t, w.events(cloudsim.BackupReset, volume), 1)
	require.Len(t, w.events(cloudsim.BackupDeletion, volume), 2)
	r := w.last(volume)
	require.Equal(t, backup.Undeletable, r.State)
	require.Equal(t, backup.DeletionStuck, r.RemovalReason)
	require.Contains(t, r.RemovalText, "set to error and hangs again")
	require.Contains(t, r.RemovalText, "restart cinder-backup")
	require.Equal(t, 1, w.logged("error", "backup can't be removed", id))
	w.run(20*time.Hour, time.Hour)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1, "it rests")
	mendDelete()
	mendForce()
	w.run(8*time.Hour, 30*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 2, "and begins anew")
	require.Equal(t, "deleted", w.story(volume))
	w.lawful()
}

// The removal of an encrypted backup whose key was out of reach hangs in
// deleting: force, with the owning project's token, ends it.
func TestHangingRemovalOfAnEncryptedBackupIsForced(t *testing.T) {
	t.Parallel()
	w, volume, _ := ripe(t, true, stuckReset)
	w.sim.SetKeyManager(false)
	w.run(5*time.Hour, 30*time.Minute)
	require.Empty(t, w.events(cloudsim.BackupForceDeletion, volume), "not before its time")
	w.sim.SetKeyManager(true)
	w.run(3*time.Hour, 30*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1)
	require.Equal(t, "deleted", w.story(volume))
	w.lawful()
}

// Without the right to the secret neither force nor reset is asked for: it would
// destroy the data and hang again.
func TestEncryptedBackupsAreNotForcedWithoutTheRight(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, true, stuckReset)
	w.sim.SetKeyManager(false)
	w.run(5*time.Hour, 30*time.Minute)
	service := w.sim.Cast().Service
	w.sim.RevokeInherited(service, "default", "admin")
	w.sim.GrantInherited(service, "default", "member")
	w.run(3*time.Hour, 30*time.Minute)
	require.Zero(t, w.sim.Counts()[actionRoute])
	r := w.last(volume)
	require.Equal(t, backup.Undeletable, r.State)
	require.Equal(t, backup.SecretRightUnknown, r.RemovalReason)
	require.Equal(t, 1, w.logged("error", "backup can't be removed", id, string(backup.SecretRightUnknown)))
	require.Equal(t, 1, w.repairs("force", "refused"))
	require.Zero(t, w.repairs("reset", "accepted")+w.repairs("reset", "refused"))
	w.lawful()
}

// An answer that is missing is no step: it is taken again.
func TestUnansweredStepsAreTakenAgain(t *testing.T) {
	t.Parallel()
	w, volume, _ := ripe(t, false, stuckReset)
	w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.sim.AddFault(cloudsim.Fault{Route: actionRoute, Times: 1, Do: cloudsim.DropBefore{}})
	w.run(2*time.Hour, 10*time.Minute)
	require.Equal(t, "deleted", w.story(volume))
	require.Equal(t, 1, w.repairs("force", "unknown"))
	require.Equal(t, 1, w.repairs("force", "accepted"))
	require.Empty(t, w.events(cloudsim.BackupReset, volume))
	w.lawful()
}

// Without the operator's leave nothing is forced or reset; the record says what
// to do.
func TestNothingIsForcedWithoutLeave(t *testing.T) {
	t.Parallel()
	w, volume, id := ripe(t, false)
	w.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: cloudsim.FailLater{Status: "error_deleting", Reason: "I/O error"}})
	w.run(2*day, 3*time.Hour)
	require.Zero(t, w.sim.Counts()[actionRoute])
	r := w.last(volume)
	require.Equal(t, backup.Undeletable, r.State)
	for _, words := range []string{"error_deleting", "I/O error", "--force " + id, "--state error " + id, "STAFFELN_STUCK_RESET=true"} {
		require.Contains(t, r.RemovalText, words)
	}
	require.Zero(t, w.repairs("force", "accepted"))
}

// hanging is a world with one backup that never ends, an hour after its deadline
// would have passed.
func hanging(t *testing.T, changes ...func(*backup.Settings, *cloudsim.Options)) (w *world, volumeID string) {
	t.Helper()
	w = daily(t, append(changes, slow, func(set *backup.Settings, _ *cloudsim.Options) {
		set.BackupCycleTimeout, set.RetentionServicePeriod = backup.Duration(time.Hour), backup.Duration(20*time.Minute)
	})...)
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.Stick{}})
	w.run(time.Hour, 20*time.Minute)
	w.dispatch()
	require.Equal(t, "overdue", w.story(volumes[0]))
	return w, volumes[0]
}

// An overdue backup that can't be forced is set to error; its record fails, and
// what is left of it goes as any leftover does.
func TestOverdueBackupIsReset(t *testing.T) {
	t.Parallel()
	w, volume := hanging(t, stuckReset)
	w.sim.AddFault(cloudsim.Fault{Route: actionRoute, Times: 1, Do: ceph})
	w.step(5 * time.Minute)
	w.dispatch()
	require.Len(t, w.events(cloudsim.BackupReset, volume), 1)
	require.Equal(t, w.sim.Project("acme"), w.events(cloudsim.BackupReset, volume)[0].Token)
	r := w.last(volume)
	require.Equal(t, backup.Overdue, r.State)
	require.Equal(t, backup.StatusReset, r.Reason)
	w.step(time.Minute)
	w.dispatch()
	require.Equal(t, "failed:status_reset", w.story(volume))
	require.Contains(t, w.last(volume).ReasonText, "STAFFELN_STUCK_RESET")
	require.Equal(t, backup.Operator, w.last(volume).Reason.Whose())
	w.run(time.Hour, 10*time.Minute)
	require.Equal(t, backup.Deleted, w.of(volume)[0].State)
	require.Equal(t, 1, w.repairs("force", "refused"))
	require.Equal(t, 1, w.repairs("reset", "accepted"))
	require.Contains(t, w.of(volume)[0].ReasonText, "should the volume stay in backing-up")
	w.sim.SetVolumeStatus(volume, "in-use") // as it says
	w.run(day, time.Hour)
	require.Equal(t, backup.Available, w.last(volume).State, "the volume goes on")
	w.lawful()
}

// One that ends well after the reset, before anybody looked, is kept; one that
// does so after its record failed stays for its retention: it is good.
func TestResetBackupThatEndsWellAfterAll(t *testing.T) {
	for name, late := range map[string]bool{"before it failed": false, "after it failed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, volume := hanging(t, stuckReset)
			w.sim.AddFault(cloudsim.Fault{Route: actionRoute, Times: 1, Do: ceph})
			w.step(5 * time.Minute)
			w.dispatch()
			id := w.last(volume).BackupID
			if late {
				w.stop() // it fails, and nobody removes anything yet
				remove := w.sim.AddFault(cloudsim.Fault{Route: listRoute, Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
				w.serve()
				w.step(time.Minute)
				w.dispatch()
				require.Equal(t, "failed:status_reset", w.story(volume))
				remove()
			}
			w.sim.SetBackupStatus(id, "available")
			w.run(90*time.Minute, 10*time.Minute)
			if late {
				require.Equal(t, "failed:status_reset", w.story(volume))
				r := w.last(volume)
				require.NotNil(t, r.NextTryAt, "looked at seldom")
				require.Less(t, w.sim.Counts()["GET /volume/v3/{project}/backups/detail"], 40)
			} else {
				require.Equal(t, "available", w.story(volume))
			}
			_, there := w.sim.Backup(id)
			require.True(t, there)
			w.lawful()
		})
	}
}

// Where neither force nor reset is accepted the record waits, and both are tried
// again a day later.
func TestOverdueBackupThatNothingFrees(t *testing.T) {
	t.Parallel()
	w, volume := hanging(t, stuckReset)
	w.sim.AddFault(cloudsim.Fault{Route: actionRoute, Do: ceph})
	w.run(20*time.Hour, 30*time.Minute)
	require.Equal(t, "overdue", w.story(volume))
	require.Equal(t, 2, w.sim.Counts()[actionRoute], "one of each")
	w.run(6*time.Hour, 30*time.Minute)
	require.Equal(t, 4, w.sim.Counts()[actionRoute], "and again a day later")
	w.sim.RestartBackupService()
	w.run(time.Hour, 10*time.Minute)
	require.Equal(t, backup.Deleted, w.of(volume)[0].State)
	w.lawful()
}

// Nothing is reset that came to its end between the look and the request.
func TestWhatEndedMeanwhileIsNotReset(t *testing.T) {
	t.Parallel()
	w, volume := hanging(t, stuckReset)
	seen := w.last(volume)
	b, err := w.cloud.Backup(w.ctx, seen.ProjectID, seen.BackupID)
	require.NoError(t, err)
	w.sim.ReleaseBackup(seen.BackupID)
	require.True(t, backup.Means(w.cloud.ResetBackup(w.ctx, b, backup.StatusError), backup.MeansBackupState))
	is, _ := w.sim.Backup(seen.BackupID)
	require.Equal(t, "available", is.Status)
	w.step(5 * time.Minute)
	w.dispatch()
	require.Equal(t, "available", w.story(volume))
	require.Zero(t, w.sim.Counts()[actionRoute])
	w.lawful()
}

// A failed leftover that no deletion is accepted of is told, and freed where
// that is allowed.
func TestLeftoverThatHangs(t *testing.T) {
	for name, allowed := range map[string]bool{"told": false, "freed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, slow, func(set *backup.Settings, _ *cloudsim.Options) { set.StuckReset = allowed })
			_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
			w.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 1, Do: cloudsim.Stick{}})
			w.beats()
			w.sim.SetBackupStatus(w.last(volumes[0]).BackupID, "error_deleting") // somebody tried to cancel it
			w.run(2*time.Hour, 20*time.Minute)
			first := w.of(volumes[0])[0]
			if allowed {
				require.Equal(t, backup.Deleted, first.State)
				require.Len(t, w.events(cloudsim.BackupForceDeletion, volumes[0]), 1)
			} else {
				require.Equal(t, backup.Undeletable, first.State)
				require.Equal(t, backup.DeletionStuck, first.RemovalReason)
				require.Equal(t, 1, w.logged("error", "backup can't be removed", first.BackupID))
			}
			w.lawful()
		})
	}
}

// A pause holds for repairs too.
func TestNothingIsForcedDuringAPause(t *testing.T) {
	t.Parallel()
	w, volume := hanging(t, stuckReset)
	w.exec(`INSERT INTO pauses (project_id, since, who, why) VALUES ('', $1, 'me', 'upgrade')`, w.clock.Now())
	w.run(2*time.Hour, 10*time.Minute)
	require.Equal(t, "overdue", w.story(volume))
	require.Zero(t, w.sim.Counts()[actionRoute])
	w.exec(`DELETE FROM pauses`)
	w.run(20*time.Minute, 10*time.Minute)
	require.Len(t, w.events(cloudsim.BackupForceDeletion, volume), 1)
}
