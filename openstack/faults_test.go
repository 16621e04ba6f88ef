package openstack

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

const (
	createRoute = "POST /volume/v3/{project}/backups"
	deleteRoute = "DELETE /volume/v3/{project}/backups/{backup}"
	readRoute   = "GET /volume/v3/{project}/backups/{backup}"
	tokenRoute  = "POST /identity/v3/auth/tokens"
)

// A tenant is a project with a volume, and a connected Cloud.
type tenant struct {
	*simulation
	cloud           *Cloud
	project, volume string
}

func newTenant(t *testing.T, o cloudsim.Options, opts ...Option) *tenant {
	t.Helper()
	w := newSimulation(t, o)
	project := w.sim.AddProject("acme")
	return &tenant{simulation: w, cloud: w.connect(t, retrying, opts...), project: project, volume: w.sim.AddVolume(project, "data", 1)}
}

func (n *tenant) request() backup.Request {
	return backup.Request{
		ProjectID: n.project, VolumeID: n.volume, Name: "acme_data_1", Kind: backup.Full,
		Tag: backup.Tag{Installation: "i", Record: "r"},
	}
}

// backup makes a backup that is available.
func (n *tenant) backup(t *testing.T) backup.Backup {
	t.Helper()
	id, err := n.cloud.CreateBackup(t.Context(), n.request())
	require.NoError(t, err)
	n.step(time.Minute)
	b, err := n.cloud.Backup(t.Context(), n.project, id)
	require.NoError(t, err)
	require.Equal(t, backup.StatusAvailable, b.Status)
	return b
}

func TestCreationWithUnknownOutcomeIsNotRetried(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		effect cloudsim.Effect
		made   int // backups that were made nevertheless
	}{
		"connection dropped before": {cloudsim.DropBefore{}, 0},
		"response dropped after":    {cloudsim.DropAfterEffect{}, 1},
		"garbage":                   {cloudsim.GarbageBody{}, 1},
		"half a response":           {cloudsim.HalfBody{}, 1},
		"503":                       {cloudsim.Refuse{Status: 503, Header: http.Header{"Retry-After": {"1"}}}, 0},
		"500":                       {cloudsim.Refuse{Status: 500}, 0},
		"202 without an ID":         {cloudsim.Refuse{Status: 202, Body: `{"backup": {}}`}, 0},
		"200 of a login page":       {cloudsim.Refuse{Status: 200, Body: `<html>Please log in</html>`}, 0},
		"redirect":                  {cloudsim.Refuse{Status: 302, Header: http.Header{"Location": {"/"}}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, cloudsim.Options{})
			n.sim.AddFault(cloudsim.Fault{Route: createRoute, Do: c.effect})
			_, err := n.cloud.CreateBackup(t.Context(), n.request())
			fault := requireFault(t, backup.MeansUnavailable, err)
			assert.True(t, fault.Unknown)
			assert.NotEmpty(t, fault.RequestID, "the operator can search for it in Cinder's log")
			assert.Equal(t, 1, n.sim.Counts()[createRoute])
			assert.Len(t, n.sim.Backups(), c.made)
		})
	}
}

func TestStalledCreationEndsWithItsContext(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	n.sim.AddFault(cloudsim.Fault{Route: createRoute, Do: cloudsim.Stall{}, Match: func(cloudsim.Request) bool { cancel(); return true }})
	_, err := n.cloud.CreateBackup(ctx, n.request())
	fault := requireFault(t, backup.MeansUnavailable, err)
	assert.True(t, fault.Unknown)
	require.ErrorIs(t, err, context.Canceled)
}

func TestStalledReadIsRetried(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{}, func(o *options) { o.attemptTimeout = 200 * time.Millisecond })
	b := n.backup(t)
	n.sim.AddFault(cloudsim.Fault{Route: readRoute, Do: cloudsim.Stall{}, Times: 1})
	n.sim.ResetCounts()
	is, err := n.cloud.Backup(t.Context(), n.project, b.ID)
	require.NoError(t, err)
	assert.Equal(t, b, is)
	assert.Equal(t, 2, n.sim.Counts()[readRoute])
	assert.Len(t, n.waited(), 1)
}

func TestReadsAreRetriedAfterTransientErrors(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]cloudsim.Effect{
		"connection dropped": cloudsim.DropBefore{},
		"garbage":            cloudsim.GarbageBody{},
		"half a response":    cloudsim.HalfBody{},
		"503":                cloudsim.Refuse{Status: 503},
		"429":                cloudsim.Refuse{Status: 429, Header: http.Header{"Retry-After": {"2"}}},
		"a proxy's login":    cloudsim.Refuse{Status: 200, Body: "{}"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, cloudsim.Options{})
			b := n.backup(t)
			n.sim.AddFault(cloudsim.Fault{Route: readRoute, Do: effect, Times: 2})
			is, err := n.cloud.Backup(t.Context(), n.project, b.ID)
			require.NoError(t, err)
			assert.Equal(t, b, is)
		})
	}
}

func TestUnsentCreationIsRetried(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	_, err := n.cloud.scope(t.Context(), n.project)
	require.NoError(t, err)
	n.server.Close()
	_, err = n.cloud.CreateBackup(t.Context(), n.request())
	fault := requireFault(t, backup.MeansUnavailable, err)
	assert.False(t, fault.Unknown, "a refused connection carries no request")
	assert.Greater(t, len(n.waited()), 5)
}

func TestThrottledCreationIsRetried(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	n.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: 2, Do: cloudsim.Refuse{Status: 429, Header: http.Header{"Retry-After": {"40"}}}})
	id, err := n.cloud.CreateBackup(t.Context(), n.request())
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{40 * time.Second, 40 * time.Second}, n.waited())
	require.Len(t, n.sim.Backups(), 1)
	assert.Equal(t, id, n.sim.Backups()[0].ID)
}

func TestDeletionsAreRetried(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	n.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 2, Do: cloudsim.Refuse{Status: 503}})
	require.NoError(t, n.cloud.DeleteBackup(t.Context(), b))
	n.step(time.Minute)
	_, err := n.cloud.Backup(t.Context(), n.project, b.ID)
	requireMeaning(t, backup.MeansNotFound, err)
}

func TestDeletionNeedsAResponseOfCinder(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	n.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Do: cloudsim.Refuse{Status: 200, Body: "<html>Please log in</html>"}})
	fault := requireFault(t, backup.MeansUnavailable, n.cloud.DeleteBackup(t.Context(), b))
	assert.True(t, fault.Unknown)
}

func TestChangesNeedATokenOfTheBackupsProject(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	other, err := n.cloud.scope(t.Context(), n.sim.AddProject("globex"))
	require.NoError(t, err)
	n.cloud.syncEndpoints(t.Context(), other)
	// This must never happen: the client of one project has another project's token.
	mixed := &scope{
		projectID: n.project, client: other.client, clock: other.clock,
		identity: other.identity, found: other.located(),
	}
	n.cloud.scopes = newScopes(maxScopes)
	n.cloud.scopes.Add(mixed.projectID, mixed)
	n.sim.ResetCounts()
	requireMeaning(t, backup.MeansRefused, n.cloud.DeleteBackup(t.Context(), b))
	requireMeaning(t, backup.MeansRefused, n.cloud.ForceDeleteBackup(t.Context(), b))
	requireMeaning(t, backup.MeansRefused, n.cloud.ResetBackup(t.Context(), b, backup.StatusError))
	_, err = n.cloud.CreateBackup(t.Context(), n.request())
	requireMeaning(t, backup.MeansRefused, err)
	assert.Equal(t, map[string]int{readRoute: 3}, n.sim.Counts(), "only reads")
}

func TestRetriedDeletionThatWasExecutedIsUnknown(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	n.sim.AddFault(cloudsim.Fault{Route: deleteRoute, Times: 1, Do: cloudsim.DropAfterEffect{}})
	fault := requireFault(t, backup.MeansBackupState, n.cloud.DeleteBackup(t.Context(), b))
	assert.True(t, fault.Unknown, "our first request may have started the deletion")
}

func Test404AboutAServiceIsNotBackupNotFound(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	n.sim.SetBackupService(false)
	n.step(time.Hour) // until Cinder notices
	fault := requireFault(t, backup.MeansUnavailable, n.cloud.DeleteBackup(t.Context(), b))
	assert.Equal(t, http.StatusNotFound, fault.Status)
	assert.False(t, fault.Unknown)
	is, err := n.cloud.Backup(t.Context(), n.project, b.ID)
	require.NoError(t, err)
	assert.Equal(t, backup.StatusAvailable, is.Status)
}

func TestOldCinderGetsTheTagInTheDescription(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{VolumeMinor: metadataMinor - 1})
	b := n.backup(t)
	assert.Empty(t, b.Metadata)
	assert.Equal(t, backup.Tag{Installation: "i", Record: "r"}, b.Tag())
	assert.Empty(t, b.UserID, "returned from 3.56 on")
	assert.Equal(t, n.project, b.ProjectID)
}

func TestCinderWithoutBackupProjectIsRefused(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{VolumeMinor: oldestVolumeMinor - 1})
	credentials, err := FromEnv(func(name string) string { return w.rc[name] })
	require.NoError(t, err)
	_, err = Connect(t.Context(), credentials, retrying)
	requireMeaning(t, backup.MeansRefused, err)
}
