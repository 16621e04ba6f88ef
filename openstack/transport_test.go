package openstack

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

func TestEveryCallIsLoggedAndCountedWithRequestID(t *testing.T) {
	t.Parallel()
	w := newSimulation(t, cloudsim.Options{})
	var mu sync.Mutex
	var sent []string // request IDs that arrived
	front := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		mu.Lock()
		sent = append(sent, r.Header.Get("X-OpenStack-Request-ID"))
		mu.Unlock()
		w.sim.ServeHTTP(out, r)
	}))
	defer front.Close()
	counted := map[string]int{}
	cloud := connect(t, w.sim.OpenRC(front.URL), Config{}, WithObserver(func(method, route string, status int, _ time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		counted[method+" "+route+" "+http.StatusText(status)]++
	}))
	var log bytes.Buffer
	ctx := zerolog.New(&log).Level(zerolog.DebugLevel).WithContext(t.Context())
	project := w.sim.AddProject("acme")
	_, err := cloud.Volume(ctx, project, "00000000-0000-4000-8000-000000000000")
	fault := requireFault(t, backup.MeansNotFound, err)
	assert.NotEmpty(t, fault.RequestID)

	for _, id := range sent {
		assert.Regexp(t, `^req-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, id)
	}
	assert.Equal(t, 1, counted["GET /volume/v3/{id}/volumes/{id} Not Found"], "%v", counted)
	assert.Equal(t, 2, counted["POST /identity/v3/auth/tokens Created"], "%v", counted)

	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2, "the token and the volume")
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &line))
	assert.Equal(t, "debug", line["level"])
	assert.Equal(t, "GET", line["method"])
	assert.Equal(t, "/volume/v3/{id}/volumes/{id}", line["route"])
	assert.InDelta(t, 404, line["status"], 0)
	assert.Equal(t, fault.RequestID, line["cloud_request_id"])
	assert.Equal(t, sent[len(sent)-1], line["request_id"])
	assert.Contains(t, line, "duration_seconds")
	assert.NotContains(t, log.String(), w.sim.Cast().Password)
}

// A lasting failure is one warning when it begins, for any number of attempts, and one message when it ends.
func TestRetriesLogOneWarning(t *testing.T) {
	t.Parallel()
	n := newTenant(t, cloudsim.Options{})
	b := n.backup(t)
	n.sim.AddFault(cloudsim.Fault{Route: readRoute, Times: 1, Do: cloudsim.Refuse{Status: 503}})
	var log bytes.Buffer
	_, err := n.cloud.Backup(zerolog.New(&log).Level(zerolog.InfoLevel).WithContext(t.Context()), n.project, b.ID)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2)
	assert.Contains(t, lines[0], `"level":"warn"`)
	assert.Contains(t, lines[0], `"message":"cloud call will be tried again"`)
	assert.Contains(t, lines[1], `"level":"info"`)
	assert.Contains(t, lines[1], `"message":"cloud call succeeds again"`)
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("X-Auth-Token"), "the token was sent to another host")
	}))
	defer trap.Close()
	w := newSimulation(t, cloudsim.Options{})
	cloud := w.connect(t, Config{})
	w.sim.AddFault(cloudsim.Fault{Route: rolesRoute, Do: cloudsim.Refuse{Status: 302, Header: http.Header{"Location": {trap.URL}}}})
	fault := requireFault(t, backup.MeansUnavailable, cloud.VerifyAdmin(t.Context()))
	assert.Equal(t, http.StatusFound, fault.Status)
}
