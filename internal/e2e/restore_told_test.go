package e2e

import (
	"encoding/json"
	"html"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The page and the read API show the commands to restore the newest restore point: first create a volume, then restore into
// it.
func TestPageAndAPIShowHowToRestore(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	var newest string
	require.NoError(t, r.Pool.QueryRow(r.Ctx, `SELECT backup_id FROM records WHERE volume_id = $1 AND state = 'available' ORDER BY data_timestamp DESC LIMIT 1`,
		r.Volume).Scan(&newest))
	page := r.get("/volumes/"+r.Volume, "", r.cookie("alice", "acme"))
	require.Equal(t, http.StatusOK, page.StatusCode)
	text := html.UnescapeString(page.text)
	for _, words := range []string{
		"-c type " + r.Volume, `--size 1 --type "${TYPE:?}"`, "--availability-zone nova", "restored-" + newest + ")",
		"openstack volume backup restore", "--force " + newest + ` "${NEW:?}"`, "Never let Cinder make the volume",
	} {
		require.Contains(t, text, words)
	}
	var output struct {
		Restore struct {
			BackupID string `json:"backup_id"`
			Commands []string
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.get("/v1/volumes/"+r.Volume, r.token("alice", "acme"), nil).text), &output))
	require.Equal(t, newest, output.Restore.BackupID)
	require.Len(t, output.Restore.Commands, 3)
	require.Equal(t, "openstack volume backup restore --force "+newest+` "${NEW:?}"`, output.Restore.Commands[2])
}
