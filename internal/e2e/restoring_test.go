package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
)

// A tenant restores from the newest link when the next backup is due: the backup waits, and the plan after the restore makes
// the incremental, even if a reconcile run has seen the restore and none has run since.
func TestBackupWaitsUntilARestoreEnds(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.BackupMinInterval, set.BackupServicePeriod = backup.Duration(time.Hour), backup.Duration(10*time.Minute)
	})
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(time.Hour, time.Minute)
	require.Equal(t, "F", w.Kinds(volumes[0]))
	link := w.Sim.BackupsOf(volumes[0])[0].ID

	w.Sim.SetBackupStatus(link, "restoring")
	w.Reconcile()
	w.Advance(30*time.Minute, time.Minute)
	require.Equal(t, "F", w.Kinds(volumes[0]), "an incremental would be refused, a full is not worth it yet")
	require.Equal(t, backup.WaitsForParent, w.planVolumes()[volumes[0]].Reason)

	w.Sim.SetBackupStatus(link, "available")
	w.Advance(11*time.Minute, time.Minute)
	require.Equal(t, "FI", w.Kinds(volumes[0]))
	w.requireInvariants()
}

// planVolumes returns the volumes as plans read them.
func (w *environment) planVolumes() map[string]db.Volume {
	w.T.Helper()
	all, err := w.BeginRun().Volumes(w.Ctx)
	require.NoError(w.T, err)
	return all
}
