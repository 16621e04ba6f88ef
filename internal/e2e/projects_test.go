package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A project that the service user can't work in suffers alone, with its reason
// and for the operator to see, and has its backups again when it is mended.
func TestProjectOutOfReach(t *testing.T) {
	for _, c := range []struct {
		name       string
		take, give func(*world, string)
		reason     backup.Reason
		words      string
	}{
		{"disabled", func(w *world, p string) { w.sim.DisableProject(p) }, func(w *world, p string) { w.sim.EnableProject(p) }, backup.NoRole, "the project is disabled"},
		{"without our role", func(w *world, p string) { w.onlyRoles(p, false) }, func(w *world, p string) { w.onlyRoles(p, true) }, backup.NoRole, "no role in the project"},
		{"deleted", func(w *world, p string) { w.sim.DeleteProject(p) }, nil, backup.ProjectGone, "Keystone knows no such project"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
				set.BackupServicePeriod, set.FullBackupDepth = backup.Duration(time.Hour), 0
				set.RetentionTime = backup.Period{Days: 2}
			})
			acme, globex := w.sim.AddProject("acme"), w.sim.AddProject("globex")
			w.sim.Grant(w.sim.Cast().Service, globex, "admin")
			_, volumes := w.protect(acme, "web-1", 1)
			_, others := w.protect(globex, "web-2", 1)
			w.onlyRoles(acme, true)
			w.run(25*time.Hour, 30*time.Minute)
			require.Equal(t, "available available", w.story(volumes[0]))

			c.take(w, acme)
			w.run(72*time.Hour, time.Hour)
			r := w.last(volumes[0])
			require.Equal(t, backup.Failed, r.State)
			require.Equal(t, c.reason, r.Reason)
			require.Equal(t, backup.Operator, r.Reason.Whose())
			require.Contains(t, r.ReasonText, c.words)
			require.NotZero(t, w.logged("error", volumes[0], string(c.reason)), "told when it begins")
			require.Len(t, w.sim.BackupsOf(volumes[0]), 2, "nothing is removed where we can't see what stands on it")
			require.Equal(t, 2, w.count("project_id = $1 AND state = 'available'", acme))
			require.Len(t, w.of(others[0]), 5, "the other project goes on")
			require.Zero(t, w.count("volume_id = $1 AND state = 'failed'", others[0]))
			require.Less(t, w.sim.Counts()["POST /identity/v3/auth/tokens"], 600, "what can't work is not tried without end")
			w.lawful()

			if c.give == nil {
				return
			}
			c.give(w, acme)
			w.run(26*time.Hour, time.Hour)
			require.Equal(t, backup.Available, w.last(volumes[0]).State)
			for _, r := range w.of(volumes[0])[:2] {
				require.Equal(t, backup.Deleted, r.State, "what is over goes now")
			}
			w.lawful()
		})
	}
}

// onlyRoles gives the service user its role in this project, or takes it, where
// it inherits none.
func (w *world) onlyRoles(projectID string, given bool) {
	service := w.sim.Cast().Service
	w.sim.RevokeInherited(service, "default", "admin")
	if given {
		w.sim.Grant(service, projectID, "admin")
		return
	}
	w.sim.Revoke(service, projectID, "admin")
}

// A project that goes away under a backup in progress leaves no record without
// an end.
func TestProjectGoneWhileCreating(t *testing.T) {
	t.Parallel()
	w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(10 * time.Minute) })
	acme := w.sim.AddProject("acme")
	_, volumes := w.protect(acme, "web-1", 1)
	w.beats()
	require.Equal(t, backup.Creating, w.last(volumes[0]).State)
	w.sim.DeleteProject(acme)
	w.run(8*time.Hour, 30*time.Minute)
	first := w.of(volumes[0])[0]
	require.Equal(t, backup.Failed, first.State)
	require.Equal(t, backup.ProjectGone, first.Reason)
	require.NotEmpty(t, first.BackupID, "what Cinder still holds stays known")
	w.lawful()
}
