package openstack

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// During a rolling upgrade of Cinder an older API node refuses our microversion (406). It executed nothing, and the request is
// sent again at its microversion. No call of ours fails or waits, and no tag is lost.
func TestOlderNodeFailsNoCall(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	n.sim.AddOlderNode(cloudsim.Cinder, 50)
	for range 3 {
		_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
		require.NoError(t, err)
	}
	_, minor := n.cloud.Microversion()
	assert.Equal(t, 50, minor)
	b := n.backup(t)
	assert.Equal(t, n.request().Tag, b.Tag())
	require.Len(t, n.sim.Backups(), 1)
	assert.Empty(t, n.waited(), "the refusal names the maximum of the node")
}

// If a node's 406 does not name its maximum, the versions are requested, from any node.
func TestOlderNodeIsAskedForItsVersions(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{}, WithWrapped(func(under http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := under.RoundTrip(r)
			if err == nil && resp.StatusCode == http.StatusNotAcceptable {
				_ = resp.Body.Close()
				resp.Body = http.NoBody
			}
			return resp, err
		})
	}))
	n.sim.AddOlderNode(cloudsim.Cinder, 60)
	for range 3 {
		_, err := n.cloud.VolumeBackups(t.Context(), n.project, n.volume)
		require.NoError(t, err)
	}
	_, minor := n.cloud.Microversion()
	assert.Equal(t, 60, minor)
	assert.Empty(t, n.waited())
}

type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// The higher microversion is tried again after an hour at the earliest, and is used again once no node refuses it. The log has
// one line at the beginning and one at the end.
func TestUpgradedNodesGetTheNewestMicroversionAgain(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	var out bytes.Buffer
	ctx := zerolog.New(&out).Level(zerolog.InfoLevel).WithContext(t.Context())
	read := func(times int) int {
		for range times {
			_, err := n.cloud.Volume(ctx, n.project, n.volume)
			require.NoError(t, err)
		}
		_, minor := n.cloud.Microversion()
		return minor
	}
	n.sim.AddOlderNode(cloudsim.Cinder, 62)
	assert.Equal(t, 62, read(4))
	for range 5 { // the upgrade takes a while
		n.both(61 * time.Minute)
		assert.Equal(t, 62, read(4), "tried, and refused again")
	}
	n.sim.AddOlderNode(cloudsim.Cinder, 0)
	assert.Equal(t, 62, read(4), "not at each call")
	n.both(61 * time.Minute)
	assert.Equal(t, 70, read(4))
	n.both(61 * time.Minute)
	assert.Equal(t, 70, read(4))
	assert.Equal(t, 1, strings.Count(out.String(), "a Cinder API node is older"), out.String())
	assert.Equal(t, 1, strings.Count(out.String(), "all Cinder API nodes support"), out.String())
	assert.Equal(t, 2, strings.Count(out.String(), "\n"), out.String())
}

// After Cinder is upgraded as a whole, requests use its new maximum.
func TestUpgradeOfCinderIsDetectedWithoutRestart(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	n.sim.AddOlderNode(cloudsim.Cinder, 60)
	n.sim.AddFault(cloudsim.Fault{Route: "GET /volume/v3/", Times: 1, Do: cloudsim.Refuse{
		Status: http.StatusOK, Body: `{"versions": [{"id": "v3.0", "version": "3.42"}]}`,
	}})
	cloud := n.connect(t, retrying)
	_, minor := cloud.Microversion()
	require.Equal(t, 42, minor)
	n.sim.AddOlderNode(cloudsim.Cinder, 0)
	n.both(61 * time.Minute)
	_, err := cloud.Volume(t.Context(), n.project, n.volume)
	require.NoError(t, err)
	id, err := cloud.CreateBackup(t.Context(), n.request())
	require.NoError(t, err)
	_, minor = cloud.Microversion()
	assert.Equal(t, 70, minor)
	b, err := cloud.Backup(t.Context(), n.project, id)
	require.NoError(t, err)
	assert.Equal(t, n.request().Tag, b.Tag())
	assert.NotEmpty(t, b.Metadata)
}

// Below 3.43 Cinder does not show the tags of our backups. They would count as foreign backups, and a creation without a
// response as one that made no backup. A node that old is not used; another one is.
func TestNodeThatHidesTagsIsNotUsed(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	hasty := n.connect(t, Config{})
	n.sim.AddOlderNode(cloudsim.Cinder, metadataMinor-1)
	for range 4 {
		all, err := n.cloud.VolumeBackups(t.Context(), n.project, n.volume)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, b.Tag(), all[0].Tag())
	}
	_, minor := n.cloud.Microversion()
	assert.Equal(t, 70, minor)
	var fault *backup.CloudError
	for range 2 { // every second request reaches the old node
		if _, err := hasty.VolumeBackups(t.Context(), n.project, n.volume); err != nil {
			fault = requireFault(t, backup.MeansUnavailable, err)
		}
	}
	require.NotNil(t, fault)
	assert.Contains(t, fault.Message, "3.43")
	assert.False(t, fault.Unknown)
}

// A backup whose availability zone can't be requested is not made in another zone; it is requested later.
func TestCreationFailsOnNodeWithoutAvailabilityZones(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	n.sim.AddOlderNode(cloudsim.Cinder, zoneMinor-1)
	for range 2 {
		_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
		require.NoError(t, err)
	}
	req := n.request()
	req.Zone = "nova"
	_, err := n.cloud.CreateBackup(t.Context(), req)
	fault := requireFault(t, backup.MeansUnavailable, err)
	assert.Contains(t, fault.Message, "3.51")
	assert.False(t, fault.Unknown)
	assert.Empty(t, n.sim.Backups())
	req.Zone = ""
	_, err = n.cloud.CreateBackup(t.Context(), req)
	require.NoError(t, err)
}

// Below 3.64 Cinder does not show which backups are encrypted: the microversion at which the backup was read decides.
func TestDeletionUsesTheMicroversionOfItsRead(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	without := retrying
	without.SecretRoles = []string{"creator"}
	cloud := n.connect(t, without)
	b := n.backup(t)
	s, err := cloud.scope(t.Context(), n.project)
	require.NoError(t, err)
	s.found.secrets = true // as if the catalog had a Barbican
	n.sim.AddOlderNode(cloudsim.Cinder, secretMinor-1)
	for range 2 { // until a request reaches the old node
		_, err := cloud.Backup(t.Context(), n.project, b.ID)
		require.NoError(t, err)
	}
	requireMeaning(t, backup.MeansSecretRight, cloud.DeleteBackup(t.Context(), b))
	n.sim.AddOlderNode(cloudsim.Cinder, 0)
	n.both(61 * time.Minute)
	require.NoError(t, cloud.DeleteBackup(t.Context(), b))
}
