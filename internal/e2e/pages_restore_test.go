package e2e

import (
	"encoding/json"
	"html"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The page and the read API show, for each restore point, the commands that restore it: first create a volume, then restore
// into it.
func TestPageAndAPIShowHowToRestore(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	var newest string
	require.NoError(t, r.Pool.QueryRow(r.Ctx, `SELECT backup_id FROM records WHERE volume_id = $1 AND state = 'available' ORDER BY data_timestamp DESC LIMIT 1`,
		r.Volume).Scan(&newest))
	page := r.get("/volumes/"+r.Volume, "", r.cookie("alice", "acme"))
	require.Equal(t, http.StatusOK, page.StatusCode)
	text := html.UnescapeString(page.text)
	require.Contains(t, text, "Never let Cinder create the volume")
	require.Contains(t, text, "-c type "+r.Volume)
	type restore struct {
		BackupID string `json:"backup_id"`
		Commands []string
	}
	var output struct {
		Restore restore
		Chains  []struct {
			Links []struct {
				BackupID string `json:"backup_id"`
				State    string
				Restore  *restore
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.get("/v1/volumes/"+r.Volume, r.token("alice", "acme"), nil).text), &output))
	require.Equal(t, newest, output.Restore.BackupID)
	links := 0
	for _, c := range output.Chains {
		for _, l := range c.Links {
			if l.State != "available" {
				require.Nil(t, l.Restore, "not a restore point")
				continue
			}
			links++
			require.Equal(t, l.BackupID, l.Restore.BackupID)
			require.Len(t, l.Restore.Commands, 5)
			require.Equal(t, "BACKUP="+l.BackupID+" SIZE=1 ZONE=nova", l.Restore.Commands[0])
			require.Contains(t, text, l.Restore.Commands[0])
			require.Contains(t, text, l.Restore.Commands[4])
			require.Equal(t, `openstack volume backup restore --force "${BACKUP:?}" "${NEW:?}"`, l.Restore.Commands[4])
		}
	}
	require.Positive(t, links)
}
