package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// findings returns the operator's findings with the given reason.
func (w *environment) findings(reason backup.Reason) (found []db.KeptFinding) {
	w.T.Helper()
	require.NoError(w.T, w.DB.Snapshot(w.Ctx, func(l *db.Snapshot) error {
		all, err := l.Findings(w.Ctx)
		for _, f := range all {
			if f.Reason == reason {
				found = append(found, f)
			}
		}
		return err
	}))
	return found
}

// metric returns the value of a metric of scheduler or worker; labels are given as name, value, name, value.
func (w *environment) metric(name string, labels ...string) int {
	w.T.Helper()
	families, err := w.Scheduler.Metrics.Registry.Gather()
	require.NoError(w.T, err)
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
	metric:
		for _, m := range f.GetMetric() {
			has := map[string]string{}
			for _, l := range m.GetLabel() {
				has[l.GetName()] = l.GetValue()
			}
			for i := 0; i < len(labels); i += 2 {
				if has[labels[i]] != labels[i+1] {
					continue metric
				}
			}
			return int(m.GetGauge().GetValue() + m.GetCounter().GetValue())
		}
	}
	return 0
}

// After the restore of an older database, newer backups have no record: each is reported once, and shown until it is gone.
// None is adopted or removed.
func TestOrphansOfARestoredDatabase(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	server, volumes := w.Protect(acme, "web-1", 1)
	w.Advance(2*day-time.Hour, time.Hour)
	require.Equal(t, "FI", w.Kinds(volumes[0]))
	orphan := w.LastRecord(volumes[0])
	w.Exec(`DELETE FROM records WHERE id = $1`, orphan.ID) // like a dump of the day before
	w.Sim.DeleteServer(server)
	w.Reconcile()
	found := w.findings(backup.Orphan)
	require.Len(t, found, 1)
	f := found[0]
	require.Equal(t, backup.Finding{Reason: backup.Orphan, ProjectID: acme, Object: orphan.BackupID, ObjectName: f.ObjectName, VolumeID: volumes[0], Detail: f.Detail}, f.Finding)
	for _, words := range []string{volumes[0], orphan.ID, "made 2026-03-", "openstack volume backup delete " + orphan.BackupID} {
		require.Contains(t, f.Detail, words)
	}
	require.Contains(t, f.ObjectName, "web-1_data_")
	require.Equal(t, [2]string{"acme", "data"}, [2]string{f.ProjectName, f.VolumeName})
	require.Equal(t, backup.Operator, f.Reason.Whose())
	require.Equal(t, 1, w.metric("staffeln_findings", "reason", "orphan"))
	require.Equal(t, 1, w.logged("error", "finding", `"reason":"orphan"`, orphan.BackupID))

	for _, command := range [][]string{{"status", "--json"}, {"explain", volumes[0], "--json"}} {
		out := w.terminal(0, command...)
		require.Contains(t, out, `"orphan"`, command)
		require.Contains(t, out, orphan.BackupID, command)
	}

	w.Step(6 * time.Hour)
	w.Plan() // a plan keeps its own findings only
	w.Reconcile()
	again := w.findings(backup.Orphan)
	require.Len(t, again, 1)
	require.Equal(t, f.Since, again[0].Since)
	require.Equal(t, 1, w.logged("error", `"reason":"orphan"`), "logged once, not at each reconcile run")
	w.Advance(5*day, 6*time.Hour)
	_, there := w.Sim.Backup(orphan.BackupID)
	require.True(t, there, "it is not removed")
	require.Equal(t, "available", w.History(volumes[0]), "nor is its parent removed")
	require.Equal(t, 1, w.metric("staffeln_findings", "reason", "orphan"))

	w.Sim.RemoveBackup(orphan.BackupID) // the operator's fix
	w.Reconcile()
	require.Empty(t, w.findings(backup.Orphan))
	require.Zero(t, w.metric("staffeln_findings", "reason", "orphan"))
	w.requireInvariants()
}

// A reconcile run that did not read Cinder's whole list ends no finding.
func TestIncompleteReconcileRunEndsNoFinding(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(day-time.Hour, time.Hour)
	orphan := w.LastRecord(volumes[0])
	w.Exec(`DELETE FROM records WHERE id = $1`, orphan.ID)
	w.Reconcile()
	w.Sim.RemoveBackup(orphan.BackupID)
	w.Step(time.Hour)
	remove := w.Sim.AddFault(cloudsim.Fault{Route: rig.ListRoute, Do: cloudsim.Refuse{Status: 503}})
	require.Error(t, w.Scheduler.Reconcile(w.Ctx, w.BeginRun()))
	require.Len(t, w.findings(backup.Orphan), 1)
	remove()
	w.Reconcile()
	require.Empty(t, w.findings(backup.Orphan))
}

// A backup of ours whose tag names the record of another volume is a finding of its own. A tag by a tenant or another
// installation is not a finding.
func TestTagOfAnotherVolumesRecordIsAFinding(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	alice := w.Sim.AddUser("alice", "alice", "")
	w.Sim.Grant(alice, acme, "member")
	_, volumes := w.Protect(acme, "web-1", 2)
	w.Advance(6*time.Hour, time.Hour)
	ours := backup.Tag{Installation: w.Scheduler.Identity.Installation, Record: w.LastRecord(volumes[0]).ID}
	theirs := backup.Tag{Installation: "11111111-2222-4333-8444-555555555555", Record: ours.Record}
	elsewhere := w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[1], Name: "odd", Metadata: ours.Metadata()})
	w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[1], Metadata: theirs.Metadata()})
	w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[1], User: alice, Metadata: ours.Metadata()})
	w.Reconcile()
	found := w.findings(backup.TagMismatch)
	require.Len(t, found, 1)
	require.Equal(t, elsewhere, found[0].Object)
	require.Equal(t, volumes[1], found[0].VolumeID)
	require.Contains(t, found[0].Detail, "its record "+ours.Record+" is about volume ")
	require.Contains(t, found[0].Detail, "("+volumes[0]+")")
	require.Equal(t, 1, w.logged("error", "finding"))
	require.Empty(t, w.findings(backup.Orphan))
	w.Sim.RemoveBackup(elsewhere)
	w.Step(time.Minute)
	w.Reconcile()
	require.Empty(t, w.findings(backup.TagMismatch))
	w.requireInvariants()
}

// A backup that others removed is a finding until it is in Cinder again, or until its retention would have ended. The record
// itself is forgotten with the history.
func TestLossesAreFindings(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) { set.HistoryTime = backup.Period{Days: 20} })
	acme := w.Sim.AddProject("acme")
	server, volumes := w.Protect(acme, "web-1", 2)
	w.Advance(6*time.Hour, time.Hour)
	lost := w.LastRecord(volumes[0])
	w.Sim.RemoveBackup(lost.BackupID)
	w.Sim.DeleteServer(server)
	w.Reconcile()
	found := w.findings(backup.RemovedByOthers)
	require.Len(t, found, 1)
	require.Equal(t, lost.BackupID, found[0].Object)
	require.Equal(t, volumes[0], found[0].VolumeID)
	require.Equal(t, acme, found[0].ProjectID)
	require.Equal(t, 1, w.metric("staffeln_findings", "reason", "removed_by_others"))
	require.Equal(t, 1, w.logged("error", "backup was removed by somebody else"))
	require.Len(t, w.findings(backup.CheckNotAsked), 1, "Cinder asked nobody")
	w.Step(2 * day)
	w.Reconcile()
	require.Len(t, w.findings(backup.RemovedByOthers), 1)
	w.Step(day)
	w.Reconcile()
	require.Empty(t, w.findings(backup.RemovedByOthers), "its retention is over: it would be gone by now")
	require.Equal(t, "lost", w.History(volumes[0]))
	w.Step(18 * day)
	w.Reconcile()
	require.Empty(t, w.RecordsOf(volumes[0]), "forgotten with the history")
	require.Equal(t, "available", w.History(volumes[1]))
	require.Zero(t, w.logged("error", "finding", "removed_by_others"), "it was logged when it was lost")
	require.Equal(t, 1, w.logged("error", "finding", "check_not_asked"))
	require.Empty(t, w.findings(backup.CheckNotAsked), "it is long ago")
}

// Too many losses are a finding until a reconcile run sees these backups again. The reconcile run is not repeated early.
func TestUnconfirmedLossesAreAFinding(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
	})
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 20)
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, 20, w.Count("state = 'available'"))
	for _, v := range volumes[:11] {
		w.Sim.RemoveBackup(w.LastRecord(v).BackupID)
	}
	w.Step(time.Minute)
	require.ErrorContains(t, w.Scheduler.Reconcile(w.Ctx, w.BeginRun()), "11 of 20 restore points")
	require.Equal(t, w.Clock.Now(), w.BeginRun().ReconciledAt.UTC(), "the next run is on schedule")
	found := w.findings(backup.LossesUnconfirmed)
	require.Len(t, found, 1)
	require.Contains(t, found[0].Detail, "11 of 20 restore points")
	require.Equal(t, 1, w.metric("staffeln_findings", "reason", "losses_unconfirmed"))
	w.Step(time.Minute)
	require.Error(t, w.Scheduler.Reconcile(w.Ctx, w.BeginRun()))
	require.Equal(t, 1, w.logged("error", "finding", "losses_unconfirmed"))

	// The operator knows the reason and confirms the losses: each backup is then read by ID, and the confirmation holds until
	// Cinder has returned a response for each of them.
	require.Contains(t, w.runWithInput(1, "no\n", "confirm-lost"), "not confirmed: nothing is written")
	w.Step(time.Minute)
	require.Error(t, w.Scheduler.Reconcile(w.Ctx, w.BeginRun()))
	require.Contains(t, oneLine(w.run(0, "confirm-lost")), "Confirmed. The next reconcile run (every 6h) and the next plan")
	w.Step(time.Minute)
	remove := w.Sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/backups/{backup}", Backup: w.LastRecord(volumes[10]).BackupID, Do: cloudsim.Refuse{Status: http.StatusInternalServerError}})
	w.Reconcile()
	require.Equal(t, 10, w.Count("state = 'lost'"))
	remove()
	w.Step(time.Minute)
	w.Reconcile()
	require.Empty(t, w.findings(backup.LossesUnconfirmed))
	require.Equal(t, 11, w.Count("state = 'lost'"))
	require.Zero(t, w.metric("staffeln_findings", "reason", "losses_unconfirmed"))
	require.Contains(t, w.run(1, "confirm-lost"), "nothing to confirm")

	// The confirmation is only about these backups.
	w.Step(26 * time.Hour)
	w.RunDue()
	w.Step(time.Minute)
	w.Dispatch()
	require.Equal(t, 29, w.Count("state = 'available'"))
	for _, v := range volumes[:11] {
		w.Sim.RemoveBackup(w.LastRecord(v).BackupID)
	}
	w.Step(time.Minute)
	require.ErrorContains(t, w.Scheduler.Reconcile(w.Ctx, w.BeginRun()), "restore points are not in Cinder's listing")
	require.Equal(t, 11, w.Count("state = 'lost'"))
}
