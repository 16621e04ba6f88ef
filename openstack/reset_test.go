package openstack

import (
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A stuck backup of an orphaned project is reset as the admin, if its status has not changed since it was read.
func TestOrphanedProject_ResetsStuckBackup(t *testing.T) {
	h := newOrphaned(t, cloudsim.Options{})
	ctx := t.Context()
	h.sim.SetBackupStatus(h.leaf, "error_deleting")
	b := h.named(h.leaf)
	b.Status = backup.StatusDeleting
	requireMeaning(t, backup.MeansBackupState, h.orphan.ResetBackup(ctx, b, backup.StatusError))
	stranger := b
	stranger.ProjectID = h.sim.AddProject("globex")
	stranger.Status = backup.StatusErrorDeleting
	requireMeaning(t, backup.MeansRefused, h.orphan.ResetBackup(ctx, stranger, backup.StatusError))
	h.unharmed(t)
	b.Status = backup.StatusErrorDeleting
	require.NoError(t, h.orphan.ResetBackup(ctx, b, backup.StatusError))
	is, _ := h.sim.Backup(h.leaf)
	require.Equal(t, "error", is.Status)
	require.NoError(t, h.orphan.DeleteBackup(ctx, h.named(h.leaf)), "and is removed as usual")
}
