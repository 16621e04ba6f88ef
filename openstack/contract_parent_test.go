package openstack

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// parentOf finds the parent of an incremental. No response names the parent, but admins can filter by it.
func (e *env) parentOf(t *testing.T, child string, among ...string) string {
	t.Helper()
	for _, id := range among {
		response := e.client.must(t.Context(), t, e.cloud.AdminProjectID(), http.MethodGet,
			e.client.cinder(e.cloud.AdminProjectID(), "/backups/detail?all_tenants=1&"+url.Values{"parent_id": {id}}.Encode()), nil)
		for _, b := range listOf(response, "backups") {
			if str(b, "id") == child {
				return id
			}
		}
	}
	return ""
}

// waitSecond waits until a second has passed in the cloud. Data timestamps have a resolution of one second, and of two equal ones
// either backup may count as the newest.
func (e *env) waitSecond(t *testing.T) {
	t.Helper()
	e.client.wait(t)
	e.client.wait(t)
}

// parentChosen: Zed refuses an incremental while the newest backup is not available. From 2023.1 on Cinder uses the newest
// available backup.
func parentChosen(t *testing.T, e *env) {
	volume := e.client.volume(t, e.home)
	older := e.createAvailable(t, volume, backup.Full)
	e.waitSecond(t)
	newest := e.createAvailable(t, volume, backup.Full)
	e.waitSecond(t)
	leaf := e.createAvailable(t, volume, backup.Incremental)
	assert.Equal(t, newest.ID, e.parentOf(t, leaf.ID, older.ID, newest.ID))
	require.NoError(t, e.cloud.DeleteBackup(t.Context(), leaf))
	e.untilGone(t, leaf.ID)

	require.NoError(t, e.cloud.ResetBackup(t.Context(), newest, backup.StatusError))
	e.untilStatus(t, newest.ID, backup.StatusError)
	id, err := e.create(t, volume, backup.Incremental)
	if !e.newer() {
		fault := requireFault(t, backup.MeansNoParent, err)
		assert.Contains(t, fault.Message, "The parent backup must be available for incremental backup.")
		return
	}
	require.NoError(t, err)
	e.untilStatus(t, id, backup.StatusAvailable)
	assert.Equal(t, older.ID, e.parentOf(t, id, older.ID, newest.ID), "its parent is the newest available backup")
}

// labFolder returns the folder in which the laboratory keeps the files of volumes and backups.
func labFolder(t *testing.T) string {
	t.Helper()
	home := os.Getenv("E2E_LAB_HOME")
	require.NotEmpty(t, home, "this needs the files of a laboratory's volumes and backups: name its folder by E2E_LAB_HOME")
	return filepath.Join(home, "state")
}

// brokenParent: an incremental whose parent has lost its objects is accepted and then fails. The next one fails in the same
// way, or is refused while the failed one exists (Zed). A full backup still works.
func brokenParent(t *testing.T, e *env) {
	volume := e.client.volume(t, e.home)
	full := e.createAvailable(t, volume, backup.Full)
	e.waitSecond(t)
	found, err := filepath.Glob(filepath.Join(labFolder(t), "backups", full.ID[:2], full.ID[2:4], full.ID))
	require.NoError(t, err)
	require.NotEmpty(t, found, "the folder of the backup's objects")
	require.NoError(t, os.Rename(found[0], found[0]+".away"))
	t.Cleanup(func() { _ = os.Rename(found[0]+".away", found[0]) })

	for range 2 {
		id, err := e.create(t, volume, backup.Incremental)
		require.NoError(t, err)
		failed := e.untilStatus(t, id, backup.StatusError)
		assert.NotEmpty(t, failed.FailReason)
		t.Logf("fail_reason: %s", failed.FailReason)
		e.waitSecond(t)
		if !e.newer() {
			_, err = e.create(t, volume, backup.Incremental)
			requireMeaning(t, backup.MeansNoParent, err)
			require.NoError(t, e.cloud.DeleteBackup(t.Context(), failed))
			e.untilGone(t, failed.ID)
		}
	}
	is, err := e.cloud.Backup(t.Context(), e.home, full.ID)
	require.NoError(t, err)
	assert.Equal(t, backup.StatusAvailable, is.Status, "Cinder does not show that the parent is broken")
	fresh := e.createAvailable(t, volume, backup.Full)
	e.waitSecond(t)
	leaf := e.createAvailable(t, volume, backup.Incremental)
	assert.Equal(t, fresh.ID, e.parentOf(t, leaf.ID, full.ID, fresh.ID))
}
