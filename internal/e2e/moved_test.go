package e2e

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A changing cloud requires no restart: one API node of Cinder is older than the others, and the endpoints of Cinder and Nova
// move in the catalog, while a proxy responds at the old ones. Plans succeed, backups are made and tagged, and nothing counts
// as absent.
func TestChangingCloudNeedsNoRestart(t *testing.T) {
	t.Parallel()
	w := daily(t)
	project := w.Sim.AddProject("acme")
	_, volumes := w.Protect(project, "web-1", 2)
	w.Advance(2*time.Hour, time.Minute)
	for _, v := range volumes {
		require.Equal(t, "F", w.Kinds(v))
	}
	other := httptest.NewServer(w.Sim)
	defer other.Close()
	w.Sim.AddOlderNode(cloudsim.Cinder, 60)
	w.Sim.MoveService(cloudsim.Cinder, other.URL, http.StatusNotFound)
	w.Sim.MoveService(cloudsim.Nova, "/new", http.StatusGone)
	_, late := w.Protect(project, "web-2", 1)
	w.Advance(26*time.Hour, 5*time.Minute)
	for _, v := range volumes {
		require.Equal(t, "FI", w.Kinds(v), w.History(v))
	}
	require.NotEmpty(t, w.Kinds(late[0]), w.History(late[0]))
	for _, one := range w.Sim.Backups() {
		require.NotEmpty(t, one.Metadata, "tagged")
	}
	require.Zero(t, w.Count("state NOT IN ('available', 'planned', 'creating')"))
	require.Empty(t, w.findings(backup.ProtectionEnded))
	require.Empty(t, w.findings(backup.AbsencesUnconfirmed))
	require.Empty(t, w.findings(backup.EndpointSilent))
	require.Len(t, w.findings(backup.OlderAPINode), 1)
	require.Equal(t, 1, w.logged("warn", "a Cinder API node is older than the others"))
	require.NoError(t, w.Cloud.EndpointsRespond())
	w.requireInvariants()
}
