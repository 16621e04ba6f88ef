package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A volume may be deleted at any moment.
func TestVolumeDeleted(t *testing.T) {
	t.Run("while planned", func(t *testing.T) {
		t.Parallel()
		w, volumes := waiting(t)
		w.sim.DeleteVolume(volumes[1])
		w.step(w.set.BackupServicePeriod.Std())
		w.plan()
		require.Equal(t, "withdrawn:volume_gone", w.story(volumes[1]))
		w.lawful()
	})
	t.Run("between admission and request, seen a moment ago", func(t *testing.T) {
		t.Parallel()
		w := daily(t)
		_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
		w.plan()
		w.sim.DeleteVolume(volumes[0])
		w.dispatch()
		require.Equal(t, "failed:volume_gone", w.story(volumes[0]))
		require.Equal(t, backup.Nobody, w.last(volumes[0]).Reason.Whose())
		w.run(3*time.Hour, 30*time.Minute)
		require.Len(t, w.of(volumes[0]), 1, "no new plan for what is gone")
		w.lawful()
	})
	t.Run("between admission and request, seen long ago", func(t *testing.T) {
		t.Parallel()
		w := daily(t)
		_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
		w.plan()
		w.sim.DeleteVolume(volumes[0])
		w.step(10 * time.Minute)
		w.dispatch()
		require.Equal(t, "withdrawn:volume_gone", w.story(volumes[0]))
		require.Zero(t, w.sim.Counts()[createRoute])
		w.lawful()
	})
	t.Run("while creating", func(t *testing.T) {
		t.Parallel()
		w := daily(t)
		_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
		w.beats()
		w.sim.DeleteVolume(volumes[0])
		w.run(2*time.Hour, 10*time.Minute)
		r := w.last(volumes[0])
		require.Equal(t, backup.Deleted, r.State, "the leftover is removed")
		require.Equal(t, backup.BackupError, r.Reason)
		require.Contains(t, r.ReasonText, "could not be found", "fail_reason")
		require.Empty(t, w.sim.BackupsOf(volumes[0]))
		require.Len(t, w.of(volumes[0]), 1)
		w.lawful()
	})
	t.Run("afterwards", func(t *testing.T) {
		t.Parallel()
		w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.RetentionTime = backup.Period{Days: 2} })
		_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
		w.run(25*time.Hour, time.Hour)
		w.sim.DeleteVolume(volumes[0])
		w.run(22*time.Hour, time.Hour)
		require.Equal(t, "FI", w.kinds(volumes[0]), "its backups stay for their retention")
		w.run(50*time.Hour, time.Hour)
		require.Equal(t, "deleted deleted", w.story(volumes[0]), "and go with it")
		w.lawful()
	})
}

// A server that is deleted ends the protection of its volumes, not a backup in
// progress.
func TestServerDeleted(t *testing.T) {
	t.Parallel()
	w, volumes := waiting(t)
	w.sim.DeleteServer(w.sim.Servers()[0].ID)
	w.step(w.set.BackupServicePeriod.Std())
	w.beats()
	require.Equal(t, "available", w.story(volumes[0]), "what was in progress goes on")
	require.Equal(t, "withdrawn:not_protected", w.story(volumes[1]))
	w.run(26*time.Hour, time.Hour)
	require.Len(t, w.rows("true"), 2, "nothing is planned any more")
	w.lawful()
}

// The wish may be taken back at any moment, too.
func TestWishTakenBack(t *testing.T) {
	for name, change := range map[string]func(*world, string){
		"removed": func(w *world, s string) { w.sim.DeleteMetadata(s, w.set.BackupMetadataKey) },
		"false":   func(w *world, s string) { w.sim.SetMetadata(s, w.set.BackupMetadataKey, "false") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, volumes := waiting(t)
			change(w, w.sim.Servers()[0].ID)
			w.step(w.set.BackupServicePeriod.Std())
			w.beats()
			require.Equal(t, "available", w.story(volumes[0]), "what was in progress goes on")
			require.Equal(t, "withdrawn:not_protected", w.story(volumes[1]))
			require.Empty(t, w.sim.BackupsOf(volumes[1]))
			w.lawful()
		})
	}
}

// waiting is a world with two volumes: the backup of the first is in progress,
// the other's waits behind the cap.
func waiting(t *testing.T) (*world, []string) {
	t.Helper()
	w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress = 1
		o.BackupTime = cloudsim.Fixed(20 * time.Minute)
	})
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 2)
	w.beats()
	if w.last(volumes[0]).State == backup.Planned {
		volumes[0], volumes[1] = volumes[1], volumes[0]
	}
	require.Equal(t, "creating", w.story(volumes[0]))
	require.Equal(t, "planned", w.story(volumes[1]))
	return w, volumes
}
