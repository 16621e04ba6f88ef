package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// If the service user has no access to a project, only this project fails, with a reason for the operator. Its backups
// continue when the access is fixed.
func TestInaccessibleProjectFailsAlone(t *testing.T) {
	for _, c := range []struct {
		name       string
		take, give func(*environment, string)
		reason     backup.Reason
		words      string
	}{
		{"disabled", func(w *environment, p string) { w.Sim.DisableProject(p) }, func(w *environment, p string) { w.Sim.EnableProject(p) }, backup.NoRole, "the project is disabled"},
		{"without our role", func(w *environment, p string) { w.setRole(p, false) }, func(w *environment, p string) { w.setRole(p, true) }, backup.NoRole, "no role in the project"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
				set.BackupServicePeriod, set.FullBackupDepth = backup.Duration(time.Hour), 0
				set.RetentionTime = backup.Period{Days: 2}
			})
			acme, globex := w.Sim.AddProject("acme"), w.Sim.AddProject("globex")
			w.Sim.Grant(w.Sim.Cast().Service, globex, "admin")
			_, volumes := w.Protect(acme, "web-1", 1)
			_, others := w.Protect(globex, "web-2", 1)
			w.setRole(acme, true)
			w.Advance(25*time.Hour, 30*time.Minute)
			require.Equal(t, "available available", w.History(volumes[0]))

			c.take(w, acme)
			w.Advance(72*time.Hour, time.Hour)
			r := w.LastRecord(volumes[0])
			require.Equal(t, backup.Failed, r.State)
			require.Equal(t, c.reason, r.Reason)
			require.Equal(t, backup.Operator, r.Reason.Whose())
			require.Contains(t, r.ReasonText, c.words)
			require.NotZero(t, w.logged("error", volumes[0], string(c.reason)), "logged when it begins")
			require.Len(t, w.Sim.BackupsOf(volumes[0]), 2, "nothing is removed while its dependents cannot be read")
			require.Equal(t, 2, w.Count("project_id = $1 AND state = 'available'", acme))
			require.Len(t, w.RecordsOf(others[0]), 5, "the other project's backups continue")
			require.Zero(t, w.Count("volume_id = $1 AND state = 'failed'", others[0]))
			require.Less(t, w.Sim.Counts()["POST /identity/v3/auth/tokens"], 600, "requests that cannot succeed are not repeated without end")
			w.requireInvariants()

			c.give(w, acme)
			w.Advance(26*time.Hour, time.Hour)
			require.Equal(t, backup.Available, w.LastRecord(volumes[0]).State)
			for _, r := range w.RecordsOf(volumes[0])[:2] {
				require.Equal(t, backup.Deleted, r.State, "what has expired is removed now")
			}
			w.requireInvariants()
		})
	}
}

// Nothing is planned for the volumes that a deleted project left behind: each backup of them would fail. One finding reports what
// to do, and so do explain and purge-project.
func TestNothingIsPlannedForVolumesOfADeletedProject(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.BackupServicePeriod = backup.Duration(time.Hour) })
	acme, globex := w.Sim.AddProject("acme"), w.Sim.AddProject("globex")
	server, volumes := w.Protect(acme, "web-1", 2)
	_, others := w.Protect(globex, "web-2", 1)
	w.Advance(2*time.Hour, time.Hour)
	w.Sim.DeleteProject(acme)
	w.Advance(50*time.Hour, time.Hour)
	require.Equal(t, 2, w.Count("project_id = $1", acme), "the backups from before, and no failure since")
	require.Len(t, w.RecordsOf(others[0]), 3, "other projects are backed up")
	found := w.findings(backup.ProjectGone)
	require.Len(t, found, 1, "of both volumes")
	require.Equal(t, acme, found[0].Object)
	require.Equal(t, backup.ProjectGoneCure(acme), found[0].Detail)

	explained, _ := rig.Output(t, w.settings(), "explain", volumes[0])
	require.Contains(t, oneLine(explained), "delete the servers and volumes that it left behind, as admin")
	listed := w.run(0, "purge-project", "--project", acme)
	require.Contains(t, oneLine(listed), "2 volumes of it still exist: delete the servers and volumes")

	// as after their deletion by an administrator, and staffeln purge-project
	w.Sim.DeleteServer(server)
	for _, v := range volumes {
		w.Sim.RemoveBackup(w.LastRecord(v).BackupID)
		w.Exec(`UPDATE records SET state = 'deleted' WHERE volume_id = $1`, v)
		w.Sim.DeleteVolume(v)
	}
	w.Advance(30*time.Hour, time.Hour)
	require.Empty(t, w.findings(backup.ProjectGone))
	w.requireInvariants()
}

// setRole gives the service user its role in this project, or takes it away; it inherits no role.
func (w *environment) setRole(projectID string, given bool) {
	service := w.Sim.Cast().Service
	w.Sim.RevokeInherited(service, "default", "admin")
	if given {
		w.Sim.Grant(service, projectID, "admin")
		return
	}
	w.Sim.Revoke(service, projectID, "admin")
}

// A project is deleted while a backup is in progress: its record reaches a final state.
func TestProjectGoneWhileCreating(t *testing.T) {
	t.Parallel()
	w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(10 * time.Minute) })
	acme := w.Sim.AddProject("acme")
	_, volumes := w.Protect(acme, "web-1", 1)
	w.RunDue()
	require.Equal(t, backup.Creating, w.LastRecord(volumes[0]).State)
	w.Sim.DeleteProject(acme)
	w.Advance(8*time.Hour, 30*time.Minute)
	first := w.RecordsOf(volumes[0])[0]
	require.Equal(t, backup.Failed, first.State)
	require.Equal(t, backup.ProjectGone, first.Reason)
	require.NotEmpty(t, first.BackupID, "a backup that Cinder still has keeps its record")
	w.requireInvariants()
}
