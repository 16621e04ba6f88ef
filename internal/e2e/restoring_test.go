package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
)

// A tenant restores from the newest link when the next backup is due: it is
// waited for, and the plan after the restore makes the incremental, also where
// a sweep saw the restore and none has looked since.
func TestRestoreIsWaitedForAndNoLonger(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.BackupMinInterval, set.BackupServicePeriod = backup.Duration(time.Hour), backup.Duration(10*time.Minute)
	})
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 1)
	w.run(time.Hour, time.Minute)
	require.Equal(t, "F", w.kinds(volumes[0]))
	link := w.sim.BackupsOf(volumes[0])[0].ID

	w.sim.SetBackupStatus(link, "restoring")
	w.sweep()
	w.run(30*time.Minute, time.Minute)
	require.Equal(t, "F", w.kinds(volumes[0]), "an incremental would be refused, a full is not worth it yet")
	require.Equal(t, backup.WaitsForParent, w.beatVolumes()[volumes[0]].Reason)

	w.sim.SetBackupStatus(link, "available")
	w.run(11*time.Minute, time.Minute)
	require.Equal(t, "FI", w.kinds(volumes[0]))
	w.lawful()
}

// beatVolumes is what the plans remember.
func (w *world) beatVolumes() map[string]db.Volume {
	w.t.Helper()
	all, err := w.beat().Volumes(w.ctx)
	require.NoError(w.t, err)
	return all
}
