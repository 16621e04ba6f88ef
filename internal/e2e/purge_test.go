package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// Case A9: a project is purged together with its backups. Its records end, at once and however many they are; the comparison
// with Cinder goes on, and nobody is told of losses.
func TestPurgedProjectsRecordsEnd(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
	})
	acme, globex := w.sim.AddProject("acme"), w.sim.AddProject("globex")
	_, purged := w.protect(acme, "web-1", 12)
	_, kept := w.protect(globex, "app-1", 2)
	w.beats()
	w.step(time.Minute)
	w.dispatch()
	require.Equal(t, 14, w.count("state = 'available'"))
	broken := w.last(purged[0])
	w.exec(`UPDATE records SET state = 'deleting', deletion_requested_at = staffeln_now(), removal_reason = 'expired' WHERE id = $1`, broken.ID)

	w.sim.PurgeProject(acme)
	w.step(w.set.BackupServicePeriod.Std())
	w.plan()
	w.sweep()
	require.Equal(t, 11, w.count("project_id = $1 AND state = 'lost' AND reason = 'project_gone'", acme))
	require.Equal(t, 1, w.count("project_id = $1 AND state = 'deleted'", acme))
	require.Equal(t, 2, w.count("volume_id = ANY($1) AND state = 'available'", kept))
	require.Empty(t, w.findings(backup.LossesNotBelieved))
	require.Empty(t, w.findings(backup.RemovedByOthers))
	require.Empty(t, w.findings(backup.AbsencesNotBelieved))
	require.Equal(t, 12, w.volumes("gone_at IS NOT NULL"), "the volumes went with their project")
	w.plan()
	require.Zero(t, w.scan(`SELECT count(*) FROM protection_ends`), "nothing of it is left to tell of")
	w.lawful()
}

// A project that Keystone only cannot show now is not purged: its records stay as they are.
func TestUnansweredProjectIsNotPurged(t *testing.T) {
	t.Parallel()
	w := daily(t, slow)
	acme := w.sim.AddProject("acme")
	_, volumes := w.protect(acme, "web-1", 2)
	w.beats()
	w.step(time.Minute)
	w.dispatch()
	for _, b := range w.sim.Backups() {
		w.sim.RemoveBackup(b.ID)
	}
	w.sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/projects/{id}", Do: cloudsim.Refuse{Status: 503}})
	w.step(time.Minute)
	w.sweep()
	require.Equal(t, 2, w.count("volume_id = ANY($1) AND state = 'lost' AND reason = 'removed_by_others'", volumes), "what its own project's token proves is proved")
}

// What a record says has ended stays ended: a backup that Cinder has again after its removal is kept for a moment, and removed
// by its retention once more.
func TestRemovedBackupThatIsThereAgainIsRemovedAgain(t *testing.T) {
	t.Parallel()
	w := daily(t, slow)
	acme := w.sim.AddProject("acme")
	_, volumes := w.protect(acme, "web-1", 1)
	w.beats()
	w.step(time.Minute)
	w.dispatch()
	r := w.last(volumes[0])
	w.step(time.Hour)
	w.exec(`UPDATE records SET state = 'deleted', removal_reason = 'expired', cinder_status = 'deleted', changed_at = staffeln_now() WHERE id = $1`, r.ID)
	answers := w.sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/backups/{backup}", Do: cloudsim.Refuse{Status: 500}})
	for range 2 {
		w.step(time.Hour)
		w.sweep()
	}
	require.Equal(t, 1, w.count("id = $1 AND state = 'deleted'", r.ID), "a list alone tells nothing")
	require.Equal(t, 1, w.logged("warn", "removed backup that Cinder lists not looked at", r.BackupID), "told when it begins")
	answers()
	w.step(time.Hour)
	w.sweep()
	require.Equal(t, 1, w.logged("info", "removed backups that Cinder lists looked at again"))
	require.Equal(t, 1, w.count("id = $1 AND state = 'available' AND reason = 'reappeared'", r.ID))
	w.run(20*day, 6*time.Hour)
	_, there := w.sim.Backup(r.BackupID)
	require.False(t, there, "its retention is over")
	require.Equal(t, 1, w.count("id = $1 AND state = 'deleted'", r.ID))
}

// scan reads one number.
func (w *world) scan(q string) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.ctx, q).Scan(&n))
	return n
}
