package openstack

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// The contract is tested on a simulation of each release that we support.
func TestContractOnCloudsim(t *testing.T) {
	for _, release := range []string{cloudsim.Zed, cloudsim.Epoxy, cloudsim.Gazpacho} {
		t.Run(release, func(t *testing.T) { contractOnCloudsim(t, release) })
	}
}

func contractOnCloudsim(t *testing.T, release string) {
	t.Helper()
	w := newSimulation(t, cloudsim.Options{Release: release})
	c := w.connect(t, retrying)
	e := &env{
		cloud:   c,
		connect: func(t *testing.T, rc map[string]string) *Cloud { t.Helper(); return connect(t, rc, retrying) },
		client: &client{
			rc: w.rc, cloud: c, prefix: "contract", tokens: map[string]string{},
			wait: func(*testing.T) { w.step(time.Second) },
		},
		home: w.sim.AddProject("acme"), away: w.sim.AddProject("globex"), mayChange: true, release: release,
		tag: backup.Tag{Installation: "contract", Record: "1"}, now: w.cloudNow,
	}
	testContract(t, e)
	assert.Empty(t, w.sim.UnknownRoutes())
	gone := map[string]bool{}
	for _, event := range w.sim.Journal() {
		switch event.Kind {
		case cloudsim.IdentityChanged:
			gone[event.Project] = gone[event.Project] || strings.HasSuffix(event.Detail, " deleted")
		case cloudsim.ForeignDeletion:
			assert.True(t, gone[event.Project], "a deletion with a token of another project, although the owning project exists: %+v", event)
		case cloudsim.ChainDestroyed:
			assert.Fail(t, "a chain was destroyed", "%+v", event)
		}
	}
}

// retrying is a configuration with enough retries for the faults of the tests.
var retrying = Config{
	RetryTimeout: backup.Duration(300 * time.Second), MaxRetryInterval: backup.Duration(30 * time.Second),
	SkipRetryCodes: []int{404}, SecretRoles: []string{"admin", "creator"},
}

// A simulation is a simulated cloud with a clock that only the test moves, and our own clock, which moves by the waits.
type simulation struct {
	sim    *cloudsim.Cloud
	server *httptest.Server
	rc     map[string]string

	mu    sync.Mutex
	now   time.Time // the cloud's clock
	ours  time.Time
	waits []time.Duration // our pauses before retries
}

func newSimulation(t *testing.T, o cloudsim.Options) *simulation {
	t.Helper()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := &simulation{now: start, ours: start}
	o.Now = w.cloudNow
	if o.Seed == 0 {
		o.Seed = 1
	}
	w.sim = cloudsim.New(o)
	w.server = httptest.NewServer(w.sim)
	t.Cleanup(w.server.Close)
	w.rc = w.sim.OpenRC(w.server.URL)
	return w
}

func (w *simulation) cloudNow() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// step moves the cloud's clock.
func (w *simulation) step(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// clock returns our clock. Waiting moves it and takes no real time.
func (w *simulation) clock() clock {
	return clock{
		now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.ours },
		wait: func(ctx context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.ours = w.ours.Add(d)
			w.waits = append(w.waits, d)
			return ctx.Err()
		},
	}
}

func (w *simulation) waited() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Duration(nil), w.waits...)
}

func (w *simulation) connect(t *testing.T, config Config, opts ...Option) *Cloud {
	t.Helper()
	return connect(t, w.rc, config, append([]Option{func(o *options) { o.clock = w.clock() }}, opts...)...)
}

func connect(t *testing.T, rc map[string]string, config Config, opts ...Option) *Cloud {
	t.Helper()
	credentials, err := FromEnv(func(name string) string { return rc[name] })
	require.NoError(t, err)
	c, err := Connect(t.Context(), credentials, config, opts...)
	require.NoError(t, err)
	return c
}
