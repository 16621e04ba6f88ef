package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// A volume is deleted at each step of its backup.
func TestVolumeDeleted(t *testing.T) {
	t.Run("while planned", func(t *testing.T) {
		t.Parallel()
		w, volumes := withWaiting(t)
		w.Sim.DeleteVolume(volumes[1])
		w.Step(w.Settings.BackupServicePeriod.Std())
		w.Plan()
		require.Equal(t, "withdrawn:volume_gone", w.History(volumes[1]))
		w.requireInvariants()
	})
	t.Run("between admission and request, seen a moment ago", func(t *testing.T) {
		t.Parallel()
		w := daily(t)
		_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
		w.Plan()
		w.Sim.DeleteVolume(volumes[0])
		w.Dispatch()
		require.Equal(t, "failed:volume_gone", w.History(volumes[0]))
		require.Equal(t, backup.Nobody, w.LastRecord(volumes[0]).Reason.Whose())
		w.Advance(3*time.Hour, 30*time.Minute)
		require.Len(t, w.RecordsOf(volumes[0]), 1, "no new plan for what is gone")
		w.requireInvariants()
	})
	t.Run("between admission and request, seen long ago", func(t *testing.T) {
		t.Parallel()
		w := daily(t)
		_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
		w.Plan()
		w.Sim.DeleteVolume(volumes[0])
		w.Step(10 * time.Minute)
		w.Dispatch()
		require.Equal(t, "withdrawn:volume_gone", w.History(volumes[0]))
		require.Zero(t, w.Sim.Counts()[rig.CreateRoute])
		w.requireInvariants()
	})
	t.Run("while creating", func(t *testing.T) {
		t.Parallel()
		w := daily(t)
		_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
		w.RunDue()
		w.Sim.DeleteVolume(volumes[0])
		w.Advance(2*time.Hour, 10*time.Minute)
		r := w.LastRecord(volumes[0])
		require.Equal(t, backup.Deleted, r.State, "the leftover is removed")
		require.Equal(t, backup.BackupError, r.Reason)
		require.Contains(t, r.ReasonText, "could not be found", "fail_reason")
		require.Empty(t, w.Sim.BackupsOf(volumes[0]))
		require.Len(t, w.RecordsOf(volumes[0]), 1)
		w.requireInvariants()
	})
	t.Run("afterwards", func(t *testing.T) {
		t.Parallel()
		w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.RetentionTime = backup.Period{Days: 2} })
		_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
		w.Advance(25*time.Hour, time.Hour)
		w.Sim.DeleteVolume(volumes[0])
		w.Advance(22*time.Hour, time.Hour)
		require.Equal(t, "FI", w.Kinds(volumes[0]), "its backups are kept for their retention")
		w.Advance(50*time.Hour, time.Hour)
		require.Equal(t, "deleted deleted", w.History(volumes[0]), "removed when their retention ends")
		w.requireInvariants()
	})
}

// A deleted server ends the protection of its volumes, but no backup in progress.
func TestServerDeleted(t *testing.T) {
	t.Parallel()
	w, volumes := withWaiting(t)
	w.Sim.DeleteServer(w.Sim.Servers()[0].ID)
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.RunDue()
	require.Equal(t, "available", w.History(volumes[0]), "the backup in progress continues")
	require.Equal(t, "withdrawn:not_protected", w.History(volumes[1]))
	w.Advance(26*time.Hour, time.Hour)
	require.Len(t, w.Records("true"), 2, "nothing is planned any more")
	w.requireInvariants()
}

// The protection ends at each step of a backup.
func TestProtectionEndsDuringABackup(t *testing.T) {
	for name, change := range map[string]func(*environment, string){
		"removed": func(w *environment, s string) { w.Sim.DeleteMetadata(s, w.Settings.BackupMetadataKey) },
		"false":   func(w *environment, s string) { w.Sim.SetMetadata(s, w.Settings.BackupMetadataKey, "false") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, volumes := withWaiting(t)
			change(w, w.Sim.Servers()[0].ID)
			w.Step(w.Settings.BackupServicePeriod.Std())
			w.RunDue()
			require.Equal(t, "available", w.History(volumes[0]), "the backup in progress continues")
			require.Equal(t, "withdrawn:not_protected", w.History(volumes[1]))
			require.Empty(t, w.Sim.BackupsOf(volumes[1]))
			w.requireInvariants()
		})
	}
}

// withWaiting returns an environment with two volumes: the first one's backup is in progress, the other one's waits because of
// the cap.
func withWaiting(t *testing.T) (*environment, []string) {
	t.Helper()
	w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress = 1
		o.BackupTime = cloudsim.Fixed(20 * time.Minute)
	})
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	w.RunDue()
	if w.LastRecord(volumes[0]).State == backup.Planned {
		volumes[0], volumes[1] = volumes[1], volumes[0]
	}
	require.Equal(t, "creating", w.History(volumes[0]))
	require.Equal(t, "planned", w.History(volumes[1]))
	return w, volumes
}
