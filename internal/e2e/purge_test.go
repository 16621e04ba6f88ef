package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// Case A9: a project is deleted together with its backups. All its records end at once, however many there are. Reconcile runs
// continue, and no losses are reported.
func TestPurgedProjectsRecordsEnd(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
	})
	acme, globex := w.Sim.AddProject("acme"), w.Sim.AddProject("globex")
	_, purged := w.Protect(acme, "web-1", 12)
	_, kept := w.Protect(globex, "app-1", 2)
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, 14, w.Count("state = 'available'"))
	broken := w.LastRecord(purged[0])
	w.Exec(`UPDATE records SET state = 'deleting', deletion_requested_at = staffeln_now(), removal_reason = 'expired' WHERE id = $1`, broken.ID)

	w.Sim.PurgeProject(acme)
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	w.Reconcile()
	require.Equal(t, 11, w.Count("project_id = $1 AND state = 'lost' AND reason = 'project_gone'", acme))
	require.Equal(t, 1, w.Count("project_id = $1 AND state = 'deleted'", acme))
	require.Equal(t, 2, w.Count("volume_id = ANY($1) AND state = 'available'", kept))
	require.Empty(t, w.findings(backup.LossesUnconfirmed))
	require.Empty(t, w.findings(backup.RemovedByOthers))
	require.Empty(t, w.findings(backup.AbsencesUnconfirmed))
	require.Equal(t, 12, w.countVolumes("gone_at IS NOT NULL"), "the volumes are gone with their project")
	w.Plan()
	require.Zero(t, w.queryInt(`SELECT count(*) FROM protection_ends`), "no end of protection is left to report")
	w.requireInvariants()
}

// A project that Keystone cannot show at the moment is not purged: its records are kept.
func TestProjectIsNotPurgedWithoutKeystonesResponse(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	_, volumes := w.Protect(acme, "web-1", 2)
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	for _, b := range w.Sim.Backups() {
		w.Sim.RemoveBackup(b.ID)
	}
	w.Sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/projects/{id}", Do: cloudsim.Refuse{Status: 503}})
	w.Step(time.Minute)
	w.Reconcile()
	require.Equal(t, 2, w.Count("volume_id = ANY($1) AND state = 'lost' AND reason = 'removed_by_others'", volumes), "what its own project's token proves is proved")
}

// An ended record never changes: if Cinder has a removed backup again, the backup is kept at first, and then removed by its
// retention again.
func TestRemovedBackupThatIsThereAgainIsRemovedAgain(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	_, volumes := w.Protect(acme, "web-1", 1)
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	r := w.LastRecord(volumes[0])
	w.Step(time.Hour)
	w.Exec(`UPDATE records SET state = 'deleted', removal_reason = 'expired', cinder_status = 'deleted', changed_at = staffeln_now() WHERE id = $1`, r.ID)
	endFault := w.Sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/backups/{backup}", Do: cloudsim.Refuse{Status: 500}})
	for range 2 {
		w.Step(time.Hour)
		w.Reconcile()
	}
	require.Equal(t, 1, w.Count("id = $1 AND state = 'deleted'", r.ID), "a listing alone proves nothing")
	require.Equal(t, 1, w.logged("warn", "removed backup that Cinder lists not checked", r.BackupID), "logged when it begins")
	endFault()
	w.Step(time.Hour)
	w.Reconcile()
	require.Equal(t, 1, w.logged("info", "removed backups listed by Cinder checked again"))
	require.Equal(t, 1, w.Count("id = $1 AND state = 'available' AND reason = 'reappeared'", r.ID))
	w.Advance(20*day, 6*time.Hour)
	_, there := w.Sim.Backup(r.BackupID)
	require.False(t, there, "its retention is over")
	require.Equal(t, 1, w.Count("id = $1 AND state = 'deleted'", r.ID))
}

// queryInt reads one number.
func (w *environment) queryInt(q string) (n int) {
	w.T.Helper()
	require.NoError(w.T, w.Pool.QueryRow(w.Ctx, q).Scan(&n))
	return n
}
