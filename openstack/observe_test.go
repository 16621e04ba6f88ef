package openstack

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const (
	volumesRoute  = "GET /volume/v3/{project}/volumes/detail"
	serversRoute  = "GET /compute/v2.1/servers/detail"
	projectsRoute = "GET /identity/v3/projects"
	rolesRoute    = "GET /identity/v3/auth/tokens"
	backupsRoute  = "GET /volume/v3/{project}/backups/detail"
)

// populated makes a simulation with so many servers and volumes, read in pages of ten.
func populated(t *testing.T, servers, volumes int, opts ...Option) (*simulation, *Cloud) {
	t.Helper()
	w := newSimulation(t, cloudsim.Options{})
	project := w.sim.AddProject("acme")
	for i := range servers {
		w.sim.AddServer(project, fmt.Sprintf("server-%d", i), nil)
	}
	for i := range volumes {
		w.sim.AddVolume(project, fmt.Sprintf("volume-%d", i), 1)
	}
	cloud := w.connect(t, retrying, append([]Option{func(o *options) { o.pageSize = 10 }}, opts...)...)
	return w, cloud
}

func TestObserveCallCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ servers, volumes, serverCalls, volumeCalls int }{
		{0, 0, 1, 1},
		{9, 10, 1, 2}, // an empty page after an exactly full one
		{20, 25, 3, 3},
		{31, 40, 4, 5},
	} {
		w, cloud := populated(t, c.servers, c.volumes)
		w.sim.ResetCounts()
		seen, err := cloud.Observe(t.Context())
		require.NoError(t, err)
		assert.True(t, seen.Complete())
		assert.Len(t, seen.Servers, c.servers)
		assert.Len(t, seen.Volumes, c.volumes)
		assert.Equal(t, map[string]int{
			serversRoute: c.serverCalls, volumesRoute: c.volumeCalls, projectsRoute: 2, rolesRoute: 1, // Keystone's list is read until no new item comes
		}, w.sim.Counts())
	}
}

func TestFullPageIsAThousand(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	project := w.sim.AddProject("acme")
	for range 1001 {
		w.sim.AddVolume(project, "volume", 1)
	}
	cloud := w.connect(t, retrying)
	w.sim.ResetCounts()
	seen, err := cloud.Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, seen.Volumes, 1001)
	assert.Equal(t, 2, w.sim.Counts()[volumesRoute])
}

func TestCloudWithSmallerPagesIsReadCompletely(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{MaxLimit: 7})
	project := w.sim.AddProject("acme")
	for range 20 {
		w.sim.AddVolume(project, "volume", 1)
	}
	seen, err := w.connect(t, retrying).Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, seen.Volumes, 20)
}

func TestIncompleteListIsReportedInUnseen(t *testing.T) {
	t.Parallel()
	w, _ := populated(t, 25, 25)
	cloud := w.connect(t, Config{}, func(o *options) { o.pageSize = 10 })
	w.sim.AddFault(cloudsim.Fault{Route: volumesRoute, Skip: 1, Do: cloudsim.Refuse{Status: 503, Body: "out of order"}})
	seen, err := cloud.Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, seen.Volumes, 10, "the items read before are kept")
	assert.Len(t, seen.Servers, 25)
	require.Len(t, seen.Unseen, 1)
	assert.Contains(t, seen.Unseen[0], "volumes")
	assert.Contains(t, seen.Unseen[0], "page 2")
	assert.Contains(t, seen.Unseen[0], "out of order")
	assert.False(t, seen.Complete())
}

func TestObserveFailsIfNothingIsRead(t *testing.T) {
	t.Parallel()
	w, _ := populated(t, 1, 1)
	cloud := w.connect(t, Config{})
	for _, route := range []string{volumesRoute, serversRoute, projectsRoute} {
		w.sim.AddFault(cloudsim.Fault{Route: route, Do: cloudsim.Refuse{Status: 503}})
	}
	_, err := cloud.Observe(t.Context())
	requireMeaning(t, backup.MeansUnavailable, err)
}

func TestObserveWithoutKeystoneIsIncomplete(t *testing.T) {
	t.Parallel()
	w, _ := populated(t, 3, 3)
	cloud := w.connect(t, Config{})
	w.sim.AddFault(cloudsim.Fault{Match: func(r cloudsim.Request) bool { return strings.Contains(r.Route, "/identity/") }, Do: cloudsim.Refuse{Status: 503}})
	seen, err := cloud.Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, seen.Volumes, 3)
	assert.Len(t, seen.Unseen, 2, "roles and projects: %q", seen.Unseen)
}

func TestTokenThatEndsDuringObserveIsRenewed(t *testing.T) {
	t.Parallel()
	var w *simulation
	var pages atomic.Int32
	w, cloud := populated(t, 0, 35, WithObserver(func(_, route string, _ int, _ time.Duration) {
		if strings.HasSuffix(route, "/volumes/detail") && pages.Add(1) == 2 {
			w.sim.RevokeTokens(w.sim.Cast().Service)
		}
	}))
	seen, err := cloud.Observe(t.Context())
	require.NoError(t, err)
	assert.True(t, seen.Complete())
	assert.Len(t, seen.Volumes, 35)
}

func TestListWithDeletedMarker(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"volumes", "servers"} {
		var w *simulation
		var pages atomic.Int32
		w, cloud := populated(t, 35, 35, WithObserver(func(_, route string, _ int, _ time.Duration) {
			if !strings.HasSuffix(route, "/"+kind+"/detail") || pages.Add(1) != 1 {
				return
			}
			// Nova's pages are sorted by ID. The volumes have the same creation second, so they are sorted by ID too.
			if kind == "volumes" {
				w.sim.DeleteVolume(w.tenth(kind))
			} else {
				w.sim.DeleteServer(w.tenth(kind))
			}
		}))
		seen, err := cloud.Observe(t.Context())
		require.NoError(t, err)
		assert.Empty(t, seen.Unseen, kind)
		found := map[string]bool{}
		for _, v := range seen.Volumes {
			found[v.ID] = true
		}
		for _, s := range seen.Servers {
			found[s.ID] = true
		}
		assert.Len(t, found, 70, "every item once, also one that was deleted after it was read")
		assert.Len(t, seen.Volumes, 35)
		assert.Len(t, seen.Servers, 35)
		assert.Greater(t, int(pages.Load()), 4, "a page was requested twice")
	}
}

// tenth returns the ID of the last item of the first page.
func (w *simulation) tenth(kind string) string {
	var all []string
	if kind == "volumes" {
		for _, v := range w.sim.Volumes() {
			all = append(all, v.ID)
		}
	} else {
		for _, s := range w.sim.Servers() {
			all = append(all, s.ID)
		}
	}
	sortStrings(all)
	return all[9]
}

func TestNextLinksAreNotFollowed(t *testing.T) {
	t.Parallel()
	var trapped atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { trapped.Add(1) }))
	defer trap.Close()
	w, _ := populated(t, 25, 25)
	// A proxy terminates TLS: the links of the services do not have the address under which they are reached.
	proxy := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		w.sim.ServeHTTP(rec, r)
		for k, v := range rec.Header() {
			if k != "Content-Length" {
				out.Header()[k] = v
			}
		}
		body := rec.Body.Bytes()
		if strings.HasSuffix(r.URL.Path, "/detail") {
			body = bytes.ReplaceAll(body, []byte("http://"+r.Host), []byte(trap.URL))
		}
		out.WriteHeader(rec.Code)
		_, _ = out.Write(body)
	}))
	defer proxy.Close()
	cloud := connect(t, w.sim.OpenRC(proxy.URL), retrying, func(o *options) { o.pageSize = 10 })
	seen, err := cloud.Observe(t.Context())
	require.NoError(t, err)
	assert.Len(t, seen.Servers, 25)
	assert.Len(t, seen.Volumes, 25)
	assert.Zero(t, trapped.Load())
}

func TestObserveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	w, cloud := populated(t, 1, 1)
	ctx, cancel := context.WithCancel(t.Context())
	w.sim.AddFault(cloudsim.Fault{Route: serversRoute, Do: cloudsim.Stall{}, Match: func(cloudsim.Request) bool { cancel(); return true }})
	seen, err := cloud.Observe(ctx)
	if err != nil { // the other lists were not read yet
		require.ErrorIs(t, err, context.Canceled)
		return
	}
	assert.Empty(t, seen.Servers)
	assert.False(t, seen.Complete())
}

func TestTemporaryVolumesAreSkipped(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{BackupTime: cloudsim.Fixed(time.Hour)})
	server := n.sim.AddServer(n.project, "web", nil)
	n.sim.Attach(server, n.volume)
	lookalike := n.sim.AddVolume(n.project, "backup-vol-of-mine", 1)
	_, err := n.cloud.CreateBackup(t.Context(), n.request())
	require.NoError(t, err)
	require.Len(t, n.sim.Volumes(), 3, "Cinder's own is in its list")
	seen, err := n.cloud.Observe(t.Context())
	require.NoError(t, err)
	var found []string
	for _, v := range seen.Volumes {
		found = append(found, v.ID)
	}
	assert.ElementsMatch(t, []string{n.volume, lookalike}, found)
}

func TestTransferredVolumeHasItsNewProject(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	other := n.sim.AddProject("globex")
	n.sim.TransferVolume(n.volume, other)
	v, err := n.cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	assert.Equal(t, other, v.ProjectID)
}

func TestBackupsOfAllProjectsInPages(t *testing.T) {
	t.Parallel()
	w, cloud := populated(t, 0, 0)
	want := map[string]bool{}
	for _, project := range []string{w.sim.AddProject("b"), w.sim.AddProject("c")} {
		for i := range 12 {
			volume := w.sim.AddVolume(project, "volume", 1)
			w.step(time.Second)
			status := "available"
			if i%2 == 0 {
				status = "error"
			}
			want[w.sim.AddBackup(cloudsim.NewBackup{Volume: volume, Status: status})] = true
		}
	}
	w.sim.ResetCounts()
	var pages []int
	var last time.Time
	require.NoError(t, cloud.AllBackups(t.Context(), func(page []backup.Backup) error {
		pages = append(pages, len(page))
		for _, b := range page {
			assert.False(t, b.CreatedAt.Before(last), "oldest first")
			last = b.CreatedAt
			delete(want, b.ID)
		}
		return nil
	}))
	assert.Equal(t, []int{10, 10, 4}, pages)
	assert.Empty(t, want)
	assert.Equal(t, 3, w.sim.Counts()[backupsRoute])

	errored, err := cloud.BackupsIn(t.Context(), backup.StatusError)
	require.NoError(t, err)
	assert.Len(t, errored, 12)
	stop := fmt.Errorf("enough")
	require.ErrorIs(t, cloud.AllBackups(t.Context(), func([]backup.Backup) error { return stop }), stop)
}
