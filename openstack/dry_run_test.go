package openstack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

func TestWithoutChangesNothingIsSentThatChangesCinder(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	made := n.backup(t)
	before := n.sim.Counts()
	reading := n.connect(t, retrying, WithoutChanges())
	_, err := reading.CreateBackup(t.Context(), n.request())
	requireMeaning(t, backup.MeansUnavailable, err)
	require.ErrorContains(t, err, "STAFFELN_DRY_RUN")
	var fault *backup.CloudError
	require.ErrorAs(t, err, &fault)
	require.False(t, fault.Unknown, "it is certain that nothing was begun")
	for name, change := range map[string]func() error{
		"delete":       func() error { return reading.DeleteBackup(t.Context(), made) },
		"force delete": func() error { return reading.ForceDeleteBackup(t.Context(), made) },
		"reset":        func() error { return reading.ResetBackup(t.Context(), made, backup.StatusError) },
	} {
		require.ErrorContains(t, change(), "STAFFELN_DRY_RUN", name)
	}
	after := n.sim.Counts()
	for _, route := range []string{createRoute, deleteRoute} {
		require.Equal(t, before[route], after[route], route)
	}
	still, err := reading.Backup(t.Context(), n.project, made.ID)
	require.NoError(t, err, "it can still read")
	require.Equal(t, backup.StatusAvailable, still.Status)
}
