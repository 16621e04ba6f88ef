package openstack

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// served returns a tenant whose volume is attached to a server that requests backups.
func served(t *testing.T) (n *tenant, server string) {
	t.Helper()
	n = newTenant(t, cloudsim.Options{})
	server = n.sim.AddServer(n.project, "web", map[string]string{"backup": "true"})
	n.sim.Attach(server, n.volume)
	return n, server
}

// observeOne observes the cloud and returns its only server and its only volume.
func (n *tenant) observeOne(t *testing.T) (backup.Server, backup.Volume) {
	t.Helper()
	seen, err := n.cloud.Observe(t.Context())
	require.NoError(t, err)
	require.Empty(t, seen.Unseen)
	require.Len(t, seen.Servers, 1)
	require.Len(t, seen.Volumes, 1)
	return seen.Servers[0], seen.Volumes[0]
}

func TestShelvedServerKeepsItsVolumes(t *testing.T) {
	t.Parallel()
	n, server := served(t)
	n.sim.Shelve(server)
	s, v := n.observeOne(t)
	assert.Equal(t, "SHELVED_OFFLOADED", s.Status)
	assert.Equal(t, []string{n.volume}, s.Volumes)
	assert.False(t, s.Partial)
	assert.Equal(t, "reserved", v.Status)
	assert.Empty(t, v.Servers)
}

func TestMigrationTargetIsNotListed(t *testing.T) {
	t.Parallel()
	n, server := served(t)
	target := n.sim.BeginMigration(n.volume)
	_, v := n.observeOne(t)
	assert.Equal(t, n.volume, v.ID)
	assert.Equal(t, "starting", v.Migration)
	assert.Equal(t, []string{server}, v.Servers)
	byID, err := n.cloud.AnyVolume(t.Context(), target)
	require.NoError(t, err)
	assert.Equal(t, "target:"+n.volume, byID.Migration)
	n.sim.EndMigration(n.volume, true)
	_, v = n.observeOne(t)
	assert.Empty(t, v.Migration, "success is no migration under way")
}

func TestServerMissingFromListIsReadByID(t *testing.T) {
	t.Parallel()
	n, server := served(t)
	n.sim.HideServer(server)
	seen, err := n.cloud.Observe(t.Context())
	require.NoError(t, err)
	require.Empty(t, seen.Servers)
	s, err := n.cloud.Server(t.Context(), server)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"backup": "true"}, s.Metadata)
	assert.Equal(t, []string{n.volume}, s.Volumes)
	assert.Equal(t, n.project, s.ProjectID)

	n.sim.SoftDelete(server)
	s, err = n.cloud.Server(t.Context(), server)
	require.NoError(t, err)
	assert.Equal(t, "SOFT_DELETED", s.Status)

	n.sim.Reclaim(server)
	_, err = n.cloud.Server(t.Context(), server)
	requireMeaning(t, backup.MeansNotFound, err)
}

// A check by ID without a clear response ends at once, without retries: one plan makes hundreds of such checks.
func TestCheckByIDIsNotRetriedAndNeedsAClearNotFound(t *testing.T) {
	t.Parallel()
	n, server := served(t)
	quoted := server + "/" + n.volume + "/" + n.project
	n.sim.HideServer(server, cloudsim.HiddenFails)
	n.sim.ResetCounts()
	_, err := n.cloud.Server(t.Context(), server)
	requireMeaning(t, backup.MeansUnavailable, err)
	for route, ask := range map[string]func() error{
		"GET /compute/v2.1/servers/{server}":           func() error { _, err := n.cloud.Server(t.Context(), server); return err },
		"GET /volume/v3/{project}/volumes/{volume}":    func() error { _, err := n.cloud.AnyVolume(t.Context(), n.volume); return err },
		"GET /volume/v3/{project}/backups/{backup}":    func() error { _, err := n.cloud.AnyBackup(t.Context(), n.volume); return err },
		"GET /identity/v3/projects/{identity_project}": func() error { _, err := n.cloud.ProjectGone(t.Context(), n.project); return err },
	} {
		for name, refusal := range map[string]cloudsim.Refuse{
			"503":                      {Status: http.StatusServiceUnavailable},
			"404 of a proxy":           {Status: http.StatusNotFound, Body: "<html>404 Not Found</html>"},
			"404 that quotes the ID":   {Status: http.StatusNotFound, Body: "<html>The requested URL " + quoted + " was not found on this server.</html>"},
			"404 of a gateway":         {Status: http.StatusNotFound, Body: `{"error": "Not Found", "status": 404, "message": "no route ` + quoted + `"}`},
			"404 of another service":   {Status: http.StatusNotFound, Body: `{"notFound": {"code": 404, "message": "no route ` + quoted + `"}}`},
			"405 of a web server":      {Status: http.StatusMethodNotAllowed, Body: "<html>405 Not Allowed</html>"},
			"410 of a proxy":           {Status: http.StatusGone, Body: "<html>410 Gone</html>"},
			"404 of a service":         {Status: http.StatusNotFound, Body: `{"itemNotFound": {"code": 404, "message": "Service cinder-backup could not be found."}}`},
			"200 with an error in it":  {Status: http.StatusOK, Body: `{"itemNotFound": {"code": 404, "message": "not found"}}`},
			"200 about something else": {Status: http.StatusOK, Body: `{"server": {"id": "x"}, "volume": {"id": "x"}, "backup": {"id": "x"}, "project": {"id": "x"}}`},
			"200 with an HTML page":    {Status: http.StatusOK, Body: `<html>maintenance</html>`},
		} {
			end := n.sim.AddFault(cloudsim.Fault{Match: func(r cloudsim.Request) bool { return r.Method == http.MethodGet }, Do: refusal})
			n.sim.ResetCounts()
			requireMeaning(t, backup.MeansUnavailable, ask())
			total := 0
			for route, calls := range n.sim.Counts() {
				if route != tokenRoute { // at most one a minute, to find out whether the service moved
					total += calls
				}
			}
			assert.Equal(t, 1, total, "%s: %s", route, name)
			end()
		}
	}
}

func TestObjectsOfAllProjectsByID(t *testing.T) {
	t.Parallel()
	n, _ := served(t)
	ctx := t.Context()
	b := n.backup(t)
	v, err := n.cloud.AnyVolume(ctx, n.volume)
	require.NoError(t, err)
	assert.Equal(t, n.project, v.ProjectID)
	got, err := n.cloud.AnyBackup(ctx, b.ID)
	require.NoError(t, err)
	assert.Equal(t, b, got)
	gone, err := n.cloud.ProjectGone(ctx, n.project)
	require.NoError(t, err)
	assert.False(t, gone)

	n.sim.PurgeProject(n.project)
	_, err = n.cloud.AnyVolume(ctx, n.volume)
	requireMeaning(t, backup.MeansNotFound, err)
	_, err = n.cloud.AnyBackup(ctx, b.ID)
	requireMeaning(t, backup.MeansNotFound, err)
	gone, err = n.cloud.ProjectGone(ctx, n.project)
	require.NoError(t, err)
	assert.True(t, gone)
	_, err = n.cloud.Server(ctx, "")
	requireMeaning(t, backup.MeansRefused, err)
}

// Without the admin role Nova and Cinder return "not found" for the objects of other projects.
func TestNothingIsNotFoundWithoutAdminRole(t *testing.T) {
	t.Parallel()
	n, server := served(t)
	n.sim.Revoke(n.sim.Cast().Service, n.cloud.AdminProjectID(), "admin")
	n.sim.RevokeInherited(n.sim.Cast().Service, n.sim.Cast().Domain, "admin")
	n.sim.Grant(n.sim.Cast().Service, n.cloud.AdminProjectID(), "member")
	n.sim.RevokeTokens(n.sim.Cast().Service)
	_, _ = n.cloud.IsAdmin(t.Context()) // requests a new token
	for _, ask := range []func() error{
		func() error { _, err := n.cloud.Server(t.Context(), server); return err },
		func() error { _, err := n.cloud.AnyVolume(t.Context(), n.volume); return err },
		func() error { _, err := n.cloud.ProjectGone(t.Context(), n.project); return err },
	} {
		err := ask()
		require.Error(t, err)
		assert.False(t, backup.Means(err, backup.MeansNotFound), "%v", err)
	}
}

// Some entries are partial, and some fields are null or missing.
func TestServersAndVolumesWithMissingFields(t *testing.T) {
	t.Parallel()
	n, _ := served(t)
	n.sim.AddFault(cloudsim.Fault{Route: serversRoute, Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"servers": [
		{"id": "a", "status": "UNKNOWN", "tenant_id": "p", "metadata": {"k": "v"}, "os-extended-volumes:volumes_attached": [{"id": "AB-C"}]},
		{"id": "b", "status": "ACTIVE", "metadata": null, "name": null, "os-extended-volumes:volumes_attached": null},
		{"id": "c", "status": "SOMETHING NEW", "metadata": {}}]}`}})
	n.sim.AddFault(cloudsim.Fault{Route: volumesRoute, Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"volumes": [
		{"id": "1", "name": null, "status": "in-use", "size": 1, "attachments": null, "metadata": null, "migration_status": null, "availability_zone": null},
		{"id": "2", "status": "something new", "attachments": [{"server_id": "AB"}, {"server_id": null}], "migration_status": "migrating"},
		{"id": "3", "status": "in-use", "attachments": [], "os-vol-mig-status-attr:migstat": "target:1"},
		{"id": "4", "status": "in-use", "attachments": [], "migration_status": "none", "os-vol-mig-status-attr:migstat": "none"}],
		"volumes_links": null}`}})
	seen, err := n.cloud.Observe(t.Context())
	require.NoError(t, err)
	require.Empty(t, seen.Unseen)
	assert.Equal(t, []backup.Server{
		{ID: "a", ProjectID: "p", Status: "UNKNOWN", Metadata: map[string]string{"k": "v"}, Volumes: []string{"ab-c"}, Partial: true},
		{ID: "b", Status: "ACTIVE", Partial: true},
		{ID: "c", Status: "SOMETHING NEW", Metadata: map[string]string{}},
	}, seen.Servers)
	assert.Equal(t, []backup.Volume{
		{ID: "1", Status: "in-use", SizeGiB: 1},
		{ID: "2", Status: "something new", Servers: []string{"ab"}, Migration: "migrating"},
		{ID: "4", Status: "in-use"},
	}, seen.Volumes)
}
