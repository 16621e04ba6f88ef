package openstack

import (
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// An unreadable token proves nothing about our roles: it must not look like a lost role.
func TestUnreadableTokenIsNotALostRole(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	c := w.connect(t, retrying)
	require.NoError(t, c.RequireAdmin(t.Context()))
	c.admin.client = &gophercloud.ProviderClient{TokenID: "unread"}
	err := c.RequireAdmin(t.Context())
	requireMeaning(t, backup.MeansUnavailable, err)
	require.ErrorContains(t, err, "read our token: the client has no token")
}
