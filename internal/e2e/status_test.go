package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// A volume in a wrong status is recorded as failed once, with the reason, and backed up by the next plan that sees a right
// status.
func TestWrongVolumeStatusIsRecordedOnce(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Sim.SetVolumeStatus(volumes[0], "error_extending")
	w.Advance(71*time.Hour, time.Hour)
	require.Equal(t, "failed:volume_status", w.History(volumes[0]), "once")
	r := w.LastRecord(volumes[0])
	require.Contains(t, r.ReasonText, `"error_extending"`)
	require.Equal(t, backup.Tenant, r.Reason.Whose())
	require.Zero(t, w.Sim.Counts()[rig.CreateRoute])
	w.Sim.SetVolumeStatus(volumes[0], "in-use")
	w.Advance(time.Hour, 30*time.Minute)
	require.Equal(t, "failed:volume_status available", w.History(volumes[0]))
	w.requireInvariants()
}

// Cinder itself left the volume in error_backing-up: only the operator can end that, and is named.
func TestVolumeThatCinderLeftInErrorBackingUpIsTheOperatorsToReset(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Sim.SetVolumeStatus(volumes[0], "error_backing-up")
	w.Advance(71*time.Hour, time.Hour)
	require.Equal(t, "failed:volume_error_backing_up", w.History(volumes[0]), "once")
	require.Equal(t, backup.Operator, w.LastRecord(volumes[0]).Reason.Whose())
	w.Sim.SetVolumeStatus(volumes[0], "in-use")
	w.Advance(time.Hour, 30*time.Minute)
	require.Equal(t, "failed:volume_error_backing_up available", w.History(volumes[0]))
	w.requireInvariants()
}

// A transitional status is not a failure: the backup waits until it ends.
func TestVolumeBeingChangedIsNoFailure(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 5)
	for i, status := range []string{"reserved", "detaching", "maintenance", "retyping", "awaiting-transfer"} {
		w.Sim.SetVolumeStatus(volumes[i], status)
	}
	w.Advance(71*time.Hour, time.Hour)
	require.Zero(t, w.Count("true"))
	for _, v := range volumes {
		w.Sim.SetVolumeStatus(v, "in-use")
	}
	w.Advance(time.Hour, 30*time.Minute)
	for _, v := range volumes {
		require.Equal(t, "available", w.History(v))
	}
	w.requireInvariants()
}

// A tenant's own backup begins between our plan and our request.
func TestVolumeInBackupAtTheRequest(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Plan()
	w.Sim.SetVolumeStatus(volumes[0], "backing-up")
	w.Dispatch()
	r := w.LastRecord(volumes[0])
	require.Equal(t, backup.Failed, r.State)
	require.Equal(t, backup.VolumeNotReady, r.Reason)
	require.Contains(t, r.ReasonText, `the current status is "backing-up"`)
	w.Sim.SetVolumeStatus(volumes[0], "in-use")
	w.Advance(2*time.Hour, 10*time.Minute)
	require.Equal(t, "failed:volume_not_ready available", w.History(volumes[0]))
	w.requireInvariants()
}

// If a record has waited, the plan's view of the volume is old: the worker reads the volume again.
func TestVolumeChangedWhileItsRecordWaited(t *testing.T) {
	t.Parallel()
	w, volumes := withWaiting(t)
	w.Sim.SetVolumeStatus(volumes[1], "extending")
	w.Step(25 * time.Minute)
	w.Dispatch() // the first backup ends
	w.Dispatch() // the other one is admitted
	require.Equal(t, "withdrawn:volume_changing", w.History(volumes[1]))
	require.Equal(t, 1, w.Sim.Counts()[rig.CreateRoute])
	w.requireInvariants()
}

// Metadata decides which servers are protected: `true` in any case, trimmed. Any other text protects nothing, and is reported.
func TestMetadataDecidesProtection(t *testing.T) {
	t.Parallel()
	w := daily(t)
	acme := w.Sim.AddProject("acme")
	protected := map[string]bool{"true": true, "True": true, " TRUE ": true, "false": false, "False": false, "yes please": false, "": false}
	volumes, servers := map[string]string{}, map[string]string{}
	for value := range protected {
		server, v := w.Protect(acme, "web", 1, w.Settings.BackupMetadataKey, value)
		volumes[value], servers[value] = v[0], server
	}
	without := w.Sim.AddVolume(acme, "data", 1)
	w.Sim.Attach(w.Sim.AddServer(acme, "plain", nil), without)
	w.Advance(30*time.Minute, 5*time.Minute)
	for value, wanted := range protected {
		require.Len(t, w.Sim.BackupsOf(volumes[value]), map[bool]int{true: 1}[wanted], "value %q", value)
	}
	require.Empty(t, w.Sim.BackupsOf(without))
	for value, reported := range map[string]bool{"yes please": true, "": true, "false": false, "true": false} {
		require.Equal(t, reported, w.logged("warn", "backup_metadata_unreadable", servers[value]) == 1, "finding of %q", value)
	}
	w.requireInvariants()
}

// Without a metadata key every server is protected.
func TestEmptyMetadataKey(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.BackupMetadataKey = "" })
	acme := w.Sim.AddProject("acme")
	attached, loose := w.Sim.AddVolume(acme, "data", 1), w.Sim.AddVolume(acme, "loose", 1)
	w.Sim.Attach(w.Sim.AddServer(acme, "plain", nil), attached)
	w.Advance(30*time.Minute, 5*time.Minute)
	require.Equal(t, "available", w.History(attached))
	require.Empty(t, w.RecordsOf(loose))
	w.requireInvariants()
}

// A volume of several servers is one volume; the longest retention applies.
func TestMultiattachedVolume(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	shared := w.Sim.AddVolume(acme, "shared", 1, cloudsim.VolumeOptions{Multiattach: true})
	for _, retention := range []string{"1d", "1w", "2d"} {
		server, _ := w.Protect(acme, "web", 0, w.Settings.RetentionMetadataKey, retention)
		w.Sim.Attach(server, shared)
	}
	w.Advance(5*day, 6*time.Hour)
	require.Len(t, w.RecordsOf(shared), 5, "one record each day")
	require.Equal(t, "FIIFI", w.Kinds(shared), "nothing is removed before the week is over")
	w.requireInvariants()
}
