package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// withCloud runs a command that may look in the cloud.
func (w *environment) withCloud(code int, args ...string) string {
	w.T.Helper()
	env := w.settings()
	maps.Copy(env, w.Sim.OpenRC(w.CloudURL))
	out, got := rig.Output(w.T, env, args...)
	require.Equal(w.T, code, got, out)
	return oneLine(out)
}

// A server is protected or not, by name and by ID, also one that never asked for backups and one that no plan has seen; the
// output has the command that protects it.
func TestExplainServer(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	web, _ := w.addNamed(acme, "web-1", "true", "data")
	idle, scratch := w.addNamed(acme, "idle-1", "false", "scratch")
	w.RunDue()
	w.finishBackups()
	w.Step(time.Minute)
	protect := "openstack server set --property " + w.Settings.BackupMetadataKey + "=true " + idle
	require.Contains(t, oneLine(w.terminal(0, "explain", "web-1")), "Protected: each of its volumes has a restore point that is not too old.")
	require.Contains(t, oneLine(w.terminal(0, "explain", web)), "data")
	for _, name := range []string{"idle-1", idle} {
		out := oneLine(w.terminal(0, "explain", name))
		require.Contains(t, out, "Not protected: its metadata does not ask for backups. The next plan comes at")
		require.Contains(t, out, protect)
		require.Contains(t, out, "scratch")
	}
	require.Contains(t, oneLine(w.terminal(0, "explain", "scratch")), "attached to idle-1")
	require.Contains(t, oneLine(w.run(1, "backup-now", "idle-1")), protect)

	fresh, _ := w.addNamed(acme, "fresh-1", "true", "new-data")
	out := oneLine(w.terminal(1, "explain", "new-data"))
	require.Contains(t, out, "no plan has seen a volume or a server of that ID or name")
	require.Contains(t, out, "the next plan comes at")
	require.Contains(t, out, "With OS_CLOUD or OS_AUTH_URL this command also looks in the cloud")
	for _, name := range []string{"new-data", "fresh-1", fresh} {
		out := w.withCloud(0, "explain", name)
		require.Contains(t, out, "It asks for backups, but no plan has seen it. The next plan comes at")
		require.Contains(t, out, "new-data")
	}
	require.Contains(t, w.withCloud(1, "backup-now", "fresh-1"), "It asks for backups, but no plan has seen it.")
	require.Contains(t, w.withCloud(1, "explain", "nowhere"), "the cloud has none either")

	// Detached, the server has no volume any more.
	w.Sim.Detach(idle, scratch[0])
	w.Plan()
	require.Contains(t, oneLine(w.terminal(1, "explain", "idle-1")), "no plan has seen")
}

// A server without metadata shares a volume with one that asks for backups: the shared volume is protected.
func TestExplainServerThatSharesAVolume(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay)
	acme := w.Sim.AddProject("acme")
	_, volumes := w.addNamed(acme, "web-1", "true", "data")
	w.Sim.Attach(w.Sim.AddServer(acme, "peer-1", nil), volumes[0])
	w.RunDue()
	w.finishBackups()
	w.Step(time.Minute)
	out := w.withCloud(0, "explain", "peer-1")
	require.Contains(t, out, "does not ask for backups, but another server's does that shares a volume with it: 1 volume is protected.")
	require.NotContains(t, out, "HOW TO PROTECT IT")
}

// The page and the read API show a server, to its own project only.
func TestPageAndAPIShowServer(t *testing.T) {
	t.Parallel()
	r := newSite(t, 1000*time.Hour)
	var id string
	require.NoError(t, r.Pool.QueryRow(r.Ctx, `SELECT server_id FROM volumes WHERE id = $1`, r.Volume).Scan(&id))
	var s struct {
		ServerID string `json:"server_id"`
		Asks     bool   `json:"asks_for_backups"`
		Summary  string
		Volumes  []struct {
			ID string `json:"volume_id"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(r.get("/v1/servers/"+id, r.token("alice", "acme"), nil).text), &s))
	require.Equal(t, id, s.ServerID)
	require.True(t, s.Asks)
	require.NotEmpty(t, s.Volumes)
	page := r.get("/servers/"+id, "", r.cookie("alice", "acme"))
	require.Equal(t, http.StatusOK, page.StatusCode)
	require.Contains(t, page.text, s.Summary)
	require.Equal(t, http.StatusNotFound, r.get("/v1/servers/"+id, r.token("bob", "globex"), nil).StatusCode)
}
