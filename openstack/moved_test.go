package openstack

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// An endpoint that moved in the catalog is found without a restart, with every kind of response at the old endpoint. Reads and
// deletions succeed, and nothing is reported as not found.
func TestMovedEndpointIsFound(t *testing.T) {
	t.Parallel()
	for _, old := range []int{http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed, http.StatusServiceUnavailable, http.StatusFound, 0} {
		t.Run(fmt.Sprint(old), func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, cloudsim.Options{})
			server := n.sim.AddServer(n.project, "web", nil)
			b := n.backup(t)
			n.sim.MoveService(cloudsim.Cinder, "/new", old)
			n.sim.MoveService(cloudsim.Nova, "/new", old)
			n.sim.ResetCounts()
			is, err := n.cloud.Backup(t.Context(), n.project, b.ID)
			require.NoError(t, err)
			assert.Equal(t, b, is)
			_, err = n.cloud.Server(t.Context(), server)
			require.NoError(t, err)
			seen, err := n.cloud.Observe(t.Context())
			require.NoError(t, err)
			assert.True(t, seen.Complete())
			assert.Len(t, seen.Volumes, 1)
			assert.Len(t, seen.Servers, 1)
			require.NoError(t, n.cloud.DeleteBackup(t.Context(), b))
			_, err = n.cloud.CreateBackup(t.Context(), n.request())
			require.NoError(t, err)
			assert.Equal(t, 2, n.sim.Counts()[tokenRoute], "the admin project's, and the tenant's")
		})
	}
}

// A creation that was sent to the old endpoint is sent again at once to the new one if certainly nothing was executed.
// Otherwise the caller first searches for its tag.
func TestCreationAtOldEndpoint(t *testing.T) {
	t.Parallel()
	for old, repeated := range map[int]bool{
		http.StatusNotFound: true, http.StatusGone: true, http.StatusMethodNotAllowed: true,
		http.StatusServiceUnavailable: false, http.StatusFound: false, 0: false,
	} {
		t.Run(fmt.Sprint(old), func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, cloudsim.Options{})
			_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
			require.NoError(t, err)
			n.sim.MoveService(cloudsim.Cinder, "/new", old)
			_, err = n.cloud.CreateBackup(t.Context(), n.request())
			if !repeated {
				assert.True(t, requireFault(t, backup.MeansUnavailable, err).Unknown)
				_, err = n.cloud.CreateBackup(t.Context(), n.request())
			}
			require.NoError(t, err, "the next request uses the new endpoint")
			require.Len(t, n.sim.Backups(), 1)
			b, err := n.cloud.Backup(t.Context(), n.project, n.sim.Backups()[0].ID)
			require.NoError(t, err)
			assert.Equal(t, n.request().Tag, b.Tag())
			assert.Empty(t, n.waited())
		})
	}
}

// elsewhere gives Cinder an address of its own.
func (w *simulation) elsewhere(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(w.sim)
	t.Cleanup(server.Close)
	w.sim.MoveService(cloudsim.Cinder, server.URL, http.StatusNotFound)
	return server
}

// Nothing listens at the old address. Until the catalog has the new one, calls wait as in any outage. The log has one line at
// the beginning and one at the end.
func TestEndpointMovedToAnotherPort(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	first := w.elsewhere(t)
	project := w.sim.AddProject("acme")
	n := &tenant{simulation: w, cloud: w.connect(t, retrying), project: project, volume: w.sim.AddVolume(project, "data", 1)}
	b := n.backup(t)
	var out bytes.Buffer
	ctx := zerolog.New(&out).Level(zerolog.InfoLevel).WithContext(t.Context())
	first.Close()
	w.sim.ResetCounts()
	_, err := n.cloud.Backup(ctx, n.project, b.ID)
	requireMeaning(t, backup.MeansUnavailable, err)
	require.ErrorContains(t, n.cloud.EndpointsRespond(), "Cinder does not respond at "+first.URL)
	_, err = n.cloud.AnyVolume(ctx, n.volume)
	requireMeaning(t, backup.MeansUnavailable, err)
	assert.LessOrEqual(t, w.sim.Counts()[tokenRoute], 7, "one a minute")

	w.elsewhere(t)
	w.both(catalogPause)
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			req := n.request()
			req.VolumeID = n.sim.AddVolume(n.project, "data", 1)
			_, err := n.cloud.CreateBackup(ctx, req)
			assert.NoError(t, err)
		})
	}
	group.Wait()
	assert.Len(t, w.sim.Backups(), 21)
	require.NoError(t, n.cloud.EndpointsRespond())
	for _, message := range []string{"service does not respond at its endpoint", "endpoint changed", "service responds at its endpoint again"} {
		assert.Equal(t, 1, strings.Count(out.String(), message), "%s: %s", message, out.String())
	}
}

// A catalog that lacks Cinder for a moment does not change clients that know the endpoint; new clients wait.
func TestCatalogTemporarilyLacksService(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	n.sim.LeaveOut(cloudsim.Cinder, true)
	n.sim.RevokeTokens(n.sim.Cast().Service)
	is, err := n.cloud.Backup(t.Context(), n.project, b.ID)
	require.NoError(t, err)
	assert.Equal(t, b, is)
	_, err = n.cloud.Observe(t.Context())
	require.NoError(t, err)
	other := n.sim.AddProject("globex")
	volume := n.sim.AddVolume(other, "data", 1)
	_, err = n.cloud.Volume(t.Context(), other, volume)
	requireMeaning(t, backup.MeansUnavailable, err)
	n.sim.LeaveOut(cloudsim.Cinder, false)
	_, err = n.cloud.Volume(t.Context(), other, volume)
	require.NoError(t, err)
}

// If a region has several endpoints, the present one remains in use until the service does not respond there. Their order in
// the catalog does not matter.
func TestSeveralEndpointsInOneRegion(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	second := httptest.NewServer(n.sim)
	defer second.Close()
	_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	usual := n.cloud.admin.base(cinder)
	n.sim.AddEndpoint(cloudsim.Cinder, second.URL)
	n.sim.RevokeTokens(n.sim.Cast().Service)
	_, err = n.cloud.Observe(t.Context())
	require.NoError(t, err)
	_, err = n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	assert.Equal(t, usual, n.cloud.admin.base(cinder))
	require.NoError(t, n.cloud.VerifyAdmin(t.Context()))

	remove := n.sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/{project}/volumes/{volume}", Times: 1, Do: cloudsim.Refuse{Status: 404, Body: "<html>404</html>"}})
	defer remove()
	_, err = n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(n.cloud.admin.base(cinder), second.URL))
}

// A new token of another project than before (the admin project was recreated with the same name) moves no endpoint.
func TestTokenOfAnotherProjectMovesNoEndpoint(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	before, volume := n.cloud.AdminProjectID(), n.cloud.admin.base(cinder)
	n.sim.DeleteProject(before)
	n.sim.Grant(n.sim.Cast().Service, n.sim.AddProject("admin"), "admin")
	n.sim.RevokeTokens(n.sim.Cast().Service)
	n.sim.MoveService(cloudsim.Cinder, "/new", http.StatusNotFound)
	_, err := n.cloud.AnyBackup(t.Context(), b.ID)
	require.Error(t, err)
	assert.False(t, backup.Means(err, backup.MeansNotFound))
	seen, err := n.cloud.Observe(t.Context())
	assert.True(t, err != nil || !seen.Complete(), "%v", seen)
	assert.Equal(t, before, n.cloud.AdminProjectID())
	assert.Equal(t, volume, n.cloud.admin.base(cinder))
}

// An object that was not found may have been requested at the wrong endpoint: after a move earlier responses do not count.
func TestVerifyAdminFailsOnceAfterAMove(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	_, err := n.cloud.Observe(t.Context())
	require.NoError(t, err)
	n.sim.MoveService(cloudsim.Nova, "/new", http.StatusNotFound)
	// At the old endpoint runs a Nova without servers.
	n.sim.AddFault(cloudsim.Fault{Route: "GET /compute/v2.1/servers/{server}", Do: cloudsim.Refuse{Status: http.StatusNotFound}})
	requireMeaning(t, backup.MeansUnavailable, n.cloud.VerifyAdmin(t.Context()))
	require.NoError(t, n.cloud.VerifyAdmin(t.Context()))
	assert.Contains(t, n.cloud.admin.base(nova), "/new/")
}

// A list continues at the new endpoint where it stopped at the old one.
func TestListContinuesAtNewEndpoint(t *testing.T) {
	t.Parallel()
	var n *tenant
	var once sync.Once
	n = newTenant(t, cloudsim.Options{}, func(o *options) { o.pageSize = 1 }, WithObserver(func(_, route string, status int, _ time.Duration) {
		if status == http.StatusOK && strings.HasSuffix(route, "/volumes/detail") {
			once.Do(func() { n.sim.MoveService(cloudsim.Cinder, "/new", http.StatusNotFound) })
		}
	}))
	n.sim.AddVolume(n.project, "more", 1)
	n.sim.AddVolume(n.project, "most", 1)
	seen, err := n.cloud.Observe(t.Context())
	require.NoError(t, err)
	assert.True(t, seen.Complete(), "%v", seen.Unseen)
	assert.Len(t, seen.Volumes, 3)
	assert.Positive(t, n.cloud.catalog.now(), "it moved")
}
