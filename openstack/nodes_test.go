package openstack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/openstack/cloudsim"
)

// While the API nodes of Cinder are upgraded one after the other, an older one refuses our microversion (406): nothing
// was done, and another node is asked.
func TestOlderNodeCostsNoCall(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	n.sim.AddOlderNode(cloudsim.Cinder, 50)
	for range 3 {
		_, err := n.cloud.Volume(t.Context(), n.project, n.volume)
		require.NoError(t, err)
	}
	_, err := n.cloud.CreateBackup(t.Context(), n.request())
	require.NoError(t, err)
	require.Len(t, n.sim.Backups(), 1)
}
