package openstack

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const (
	deletionRoute = "DELETE /volume/v3/{project}/backups/{backup}"
	actionRoute   = "POST /volume/v3/{project}/backups/{backup}/action"
)

// An orphaned is a project with a chain of two backups, full and leaf, that Keystone no longer knows.
type orphaned struct {
	*simulation

	cloud      *Cloud
	orphan     *OrphanedProject
	project    string
	volume     string
	full, leaf string
}

func newOrphaned(t *testing.T, o cloudsim.Options, volume ...cloudsim.VolumeOptions) *orphaned {
	t.Helper()
	h := &orphaned{simulation: newSimulation(t, o)}
	h.cloud = h.connect(t, retrying)
	h.project = h.sim.AddProject("acme")
	h.volume = h.sim.AddVolume(h.project, "data", 1, volume...)
	h.full = h.add(cloudsim.NewBackup{})
	h.leaf = h.add(cloudsim.NewBackup{Parent: h.full})
	h.sim.DeleteProject(h.project)
	var err error
	h.orphan, err = h.cloud.OrphanedProject(t.Context(), h.project)
	require.NoError(t, err)
	return h
}

// add makes a backup one minute after the previous one.
func (h *orphaned) add(n cloudsim.NewBackup) string {
	h.step(time.Minute)
	if n.Volume == "" {
		n.Volume = h.volume
	}
	return h.sim.AddBackup(n)
}

// named returns a backup with the fields that a record has.
func (h *orphaned) named(id string) backup.Backup {
	return backup.Backup{ID: id, ProjectID: h.project, VolumeID: h.volume}
}

// unharmed asserts that no deletion was requested from Cinder and that Cinder lost nothing.
func (h *orphaned) unharmed(t *testing.T) {
	t.Helper()
	require.Zero(t, h.sim.Counts()[deletionRoute]+h.sim.Counts()[actionRoute], "no deletion is requested")
	for _, b := range h.sim.Backups() {
		require.True(t, b.Restorable, "%+v", b)
	}
}

// refused asserts that both kinds of deletion of a backup are refused, for that reason.
func (h *orphaned) refused(t *testing.T, id string, want backup.Meaning) {
	t.Helper()
	requireMeaning(t, want, h.orphan.DeleteBackup(t.Context(), h.named(id)))
	requireMeaning(t, want, h.orphan.ForceDeleteBackup(t.Context(), h.named(id)))
	h.unharmed(t)
}

// As long as a token of the project can be issued, now or later, its backups are not touched as the admin.
func TestOrphanedProject_MustBeUnknownToKeystone(t *testing.T) {
	w := newSimulation(t, cloudsim.Options{})
	c, ctx := w.connect(t, retrying), t.Context()
	acme := w.sim.AddProject("acme")
	for name, change := range map[string]func(){
		"enabled": func() {}, "disabled": func() { w.sim.DisableProject(acme) },
		"without our role": func() { w.sim.EnableProject(acme); w.sim.RevokeInherited(w.sim.Cast().Service, "default", "admin") },
	} {
		change()
		_, err := c.OrphanedProject(ctx, acme)
		fault := requireFault(t, backup.MeansRefused, err)
		assert.Contains(t, fault.Error(), "Keystone still knows the project", name)
	}
	_, err := c.OrphanedProject(ctx, "")
	requireMeaning(t, backup.MeansRefused, err)

	w.sim.DeleteProject(acme)
	orphan, err := c.OrphanedProject(ctx, acme)
	require.NoError(t, err)
	require.NotNil(t, orphan)
	gone, err := c.Gone(ctx, []string{w.sim.AddProject("globex"), acme, c.AdminProjectID()})
	require.NoError(t, err)
	require.Equal(t, []string{acme}, gone)
}

// Without a clear response from Keystone nothing is proved.
func TestOrphanedProject_NeedsAClearResponseOfKeystone(t *testing.T) {
	for name, effect := range map[string]cloudsim.Effect{
		"unavailable": cloudsim.Refuse{Status: http.StatusServiceUnavailable}, "forbidden": cloudsim.Refuse{Status: http.StatusForbidden},
		"a proxy's 404": cloudsim.Refuse{Status: http.StatusNotFound, Body: "<html>no such page</html>"}, "no response": cloudsim.DropBefore{},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSimulation(t, cloudsim.Options{})
			c := w.connect(t, Config{RetryTimeout: backup.Duration(time.Second), MaxRetryInterval: backup.Duration(time.Second)})
			acme := w.sim.AddProject("acme")
			w.sim.DeleteProject(acme)
			w.sim.AddFault(cloudsim.Fault{Route: "GET /identity/v3/projects/{project}", Do: effect})
			_, err := c.OrphanedProject(t.Context(), acme)
			require.Error(t, err)
			_, err = c.Gone(t.Context(), []string{acme})
			require.Error(t, err)
			require.Empty(t, w.sim.UnknownRoutes())
		})
	}
}

// Without the admin role a list shows only one project, and a 404 proves nothing.
func TestOrphanedProject_NeedsTheAdminRole(t *testing.T) {
	h := newOrphaned(t, cloudsim.Options{})
	service, home := h.sim.Cast().Service, h.cloud.AdminProjectID()
	h.sim.RevokeInherited(service, "default", "admin")
	h.sim.Revoke(service, home, "admin")
	h.sim.Grant(service, home, "member")
	_, err := h.cloud.OrphanedProject(t.Context(), h.project)
	requireMeaning(t, backup.MeansNotAdmin, err)
	_, err = h.cloud.Gone(t.Context(), []string{h.project})
	requireMeaning(t, backup.MeansNotAdmin, err)
	// an OrphanedProject made earlier, when its token is renewed
	h.sim.RevokeTokens(service)
	require.Error(t, h.orphan.DeleteBackup(t.Context(), h.named(h.leaf)))
	requireMeaning(t, backup.MeansNotAdmin, h.orphan.DeleteBackup(t.Context(), h.named(h.leaf)))
	_, err = h.orphan.VolumeBackups(t.Context(), h.project, h.volume)
	requireMeaning(t, backup.MeansNotAdmin, err)
	_, err = h.orphan.Backup(t.Context(), h.project, h.leaf)
	requireMeaning(t, backup.MeansNotAdmin, err)
	h.unharmed(t)
}

func TestOrphanedProject_ListsTheProjectsBackupsOfTheVolume(t *testing.T) {
	h := newOrphaned(t, cloudsim.Options{})
	globex := h.sim.AddProject("globex")
	h.add(cloudsim.NewBackup{Project: globex}) // a backup of an earlier owner of the same volume
	h.sim.DeleteProject(globex)
	h.add(cloudsim.NewBackup{Volume: h.sim.AddVolume(h.project, "other", 1)})
	for _, size := range []int{1, 2, 1000} {
		h.cloud.pageSize = size
		got, err := h.orphan.VolumeBackups(t.Context(), h.project, h.volume)
		require.NoError(t, err)
		require.Equal(t, []string{h.full, h.leaf}, ids(got), "pages of %d", size)
	}
	require.Empty(t, h.sim.UnknownRoutes())
}

// Only a deletion from the leaf up, as the admin, succeeds.
func TestOrphanedProject_DeletesLeafFirstAsTheAdmin(t *testing.T) {
	for name, remove := range map[string]func(*orphaned, string) error{
		"deletion": func(h *orphaned, id string) error { return h.orphan.DeleteBackup(t.Context(), h.named(id)) },
		"force":    func(h *orphaned, id string) error { return h.orphan.ForceDeleteBackup(t.Context(), h.named(id)) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newOrphaned(t, cloudsim.Options{DeleteTime: cloudsim.Fixed(time.Minute)})
			h.refused(t, h.full, backup.MeansHasDependents)

			require.NoError(t, remove(h, h.leaf))
			is, err := h.orphan.Backup(t.Context(), h.project, h.leaf)
			require.NoError(t, err)
			require.Equal(t, backup.StatusDeleting, is.Status)
			requireMeaning(t, backup.MeansHasDependents, remove(h, h.full)) // the leaf still exists
			h.step(2 * time.Minute)
			_, err = h.orphan.Backup(t.Context(), h.project, h.leaf)
			requireMeaning(t, backup.MeansNotFound, err)
			requireMeaning(t, backup.MeansNotFound, remove(h, h.leaf))

			require.NoError(t, remove(h, h.full))
			h.step(2 * time.Minute)
			require.Empty(t, h.sim.Backups())
			asked := 0
			for _, e := range h.sim.Journal() {
				if e.Kind == cloudsim.BackupDeletion || e.Kind == cloudsim.BackupForceDeletion {
					asked++
					require.Equal(t, h.cloud.AdminProjectID(), e.Token)
				}
				require.NotEqual(t, cloudsim.ChainDestroyed, e.Kind)
			}
			require.Equal(t, 2, asked)
		})
	}
}

// Cinder's counter of dependents may be lost; the list by parent still finds them. Without it an admin's deletion would
// destroy the chain.
func TestOrphanedProject_SearchesForDependentsItself(t *testing.T) {
	t.Run("the counter is lost", func(t *testing.T) {
		h := newOrphaned(t, cloudsim.Options{})
		h.loseCounter(t, h.full)
		h.refused(t, h.full, backup.MeansHasDependents)
	})
	t.Run("a foreign incremental, and the counter is lost", func(t *testing.T) {
		h := newOrphaned(t, cloudsim.Options{})
		h.add(cloudsim.NewBackup{Parent: h.leaf, User: h.sim.AddUser("alice", "alice", "")})
		h.refused(t, h.leaf, backup.MeansHasDependents)
		h.loseCounter(t, h.leaf)
		h.refused(t, h.leaf, backup.MeansHasDependents)
		h.refused(t, h.full, backup.MeansHasDependents)
	})
	t.Run("the counter alone", func(t *testing.T) {
		h := newOrphaned(t, cloudsim.Options{})
		h.sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/backups/detail", Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"backups": []}`}})
		h.refused(t, h.full, backup.MeansHasDependents)
	})
	t.Run("no response", func(t *testing.T) {
		h := newOrphaned(t, cloudsim.Options{})
		h.sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/backups/detail", Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
		h.refused(t, h.leaf, backup.MeansUnavailable)
	})
	t.Run("what a bare admin's token does", func(t *testing.T) {
		h := newOrphaned(t, cloudsim.Options{})
		r := h.orphan.request("delete backup", h.full)
		r.method = http.MethodDelete
		require.NoError(t, h.cloud.do(t.Context(), h.cloud.admin, r))
		h.step(time.Hour)
		leaf, _ := h.sim.Backup(h.leaf)
		require.False(t, leaf.Restorable, "Cinder accepts a deletion that destroys the chain")
	})
}

// loseCounter makes Cinder report no dependents of a backup: a failed child is deleted, and the counter falls by one although
// another child exists.
func (h *orphaned) loseCounter(t *testing.T, parent string) {
	t.Helper()
	h.sim.RemoveBackup(h.add(cloudsim.NewBackup{Parent: parent, Status: "error"}))
	is, err := h.orphan.Backup(t.Context(), h.project, parent)
	require.NoError(t, err)
	require.False(t, is.HasDependents, "the lie")
}

// Only its own project can delete the secret of an encrypted backup. Cinder would destroy the data and hang.
func TestOrphanedProject_KeepsEncryptedBackups(t *testing.T) {
	h := newOrphaned(t, cloudsim.Options{}, cloudsim.VolumeOptions{Encrypted: true})
	h.refused(t, h.leaf, backup.MeansSecretRight)
	h.refused(t, h.full, backup.MeansHasDependents)
	old := newOrphaned(t, cloudsim.Options{VolumeMinor: secretMinor - 1}) // encryption is not visible
	old.cloud.admin.found.secrets = true                                  // as if the catalog had a Barbican
	old.refused(t, old.leaf, backup.MeansSecretRight)
}

func TestOrphanedProject_RefusesBackupsOfOtherProjects(t *testing.T) {
	h := newOrphaned(t, cloudsim.Options{})
	globex := h.sim.AddProject("globex")
	foreign := h.add(cloudsim.NewBackup{Volume: h.sim.AddVolume(globex, "data", 1)})
	_, err := h.orphan.Backup(t.Context(), h.project, foreign)
	requireMeaning(t, backup.MeansRefused, err)
	h.refused(t, foreign, backup.MeansRefused)

	// The normal cloud deletes a backup with its true project in the record, with a token of that project.
	is, err := h.orphan.Backup(t.Context(), globex, foreign)
	require.NoError(t, err)
	list, err := h.orphan.VolumeBackups(t.Context(), globex, is.VolumeID)
	require.NoError(t, err)
	require.Equal(t, []string{foreign}, ids(list))
	require.NoError(t, h.orphan.DeleteBackup(t.Context(), is))
	again := h.add(cloudsim.NewBackup{Volume: is.VolumeID})
	require.NoError(t, h.orphan.ForceDeleteBackup(t.Context(), backup.Backup{ID: again, ProjectID: globex}))
	for _, e := range h.sim.Journal() {
		if e.Kind == cloudsim.BackupDeletion || e.Kind == cloudsim.BackupForceDeletion {
			require.Equal(t, globex, e.Token)
		}
	}

	// nothing is deleted that belongs to another orphaned project
	initech := h.sim.AddProject("initech")
	other := h.add(cloudsim.NewBackup{Volume: h.sim.AddVolume(initech, "data", 1)})
	h.sim.DeleteProject(initech)
	requireMeaning(t, backup.MeansProjectGone, h.orphan.DeleteBackup(t.Context(), backup.Backup{ID: other, ProjectID: initech}))
}

func TestOrphanedProject_BackupNotFound(t *testing.T) {
	const unknownID = "00000000-0000-4000-8000-000000000000"
	h := newOrphaned(t, cloudsim.Options{})
	_, err := h.orphan.Backup(t.Context(), h.project, unknownID)
	requireMeaning(t, backup.MeansNotFound, err)
	h.refused(t, unknownID, backup.MeansNotFound)
	list, err := h.orphan.VolumeBackups(t.Context(), h.project, unknownID)
	require.NoError(t, err)
	require.Empty(t, list)
}
