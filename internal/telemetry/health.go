package telemetry

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"
)

// checkTime is the timeout for all checks of one call together.
const checkTime = 3 * time.Second

// Readiness holds the named checks that must succeed before a process can work. It is safe for concurrent use.
type Readiness struct {
	log     zerolog.Logger
	metrics *Metrics

	mu         sync.Mutex
	ended      bool
	checks     map[string]func(context.Context) error
	conditions Conditions // failing checks
}

// NewReadiness returns a readiness without checks, which are counted in m. Without checks a process is ready.
func NewReadiness(log zerolog.Logger, m *Metrics) *Readiness {
	return &Readiness{log: log, metrics: m, checks: map[string]func(context.Context) error{}}
}

// Add adds a check or replaces the one of the same name. The check must return when its context ends.
func (r *Readiness) Add(name string, check func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.checks[name] = check
	}
}

// End ends all checks, also the reports of those that run: call it before what they look at is closed. Afterwards nothing is
// found not to be ready.
func (r *Readiness) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.checks = true, nil
}

func (r *Readiness) hasEnded() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// NotReady runs all checks concurrently and returns the sorted names of those that fail. The causes are only logged, when a
// check begins to fail and when it succeeds again: the endpoint may be open to people who should not see addresses.
func (r *Readiness) NotReady(ctx context.Context) []string {
	caller := ctx
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	r.mu.Lock()
	checks := maps.Clone(r.checks)
	r.mu.Unlock()

	var wait sync.WaitGroup
	var mu sync.Mutex
	failed := []string{}
	for name, check := range checks {
		wait.Go(func() {
			err := check(ctx)
			if caller.Err() == nil && !r.hasEnded() { // a check that fails because the client is gone is not logged
				r.report(name, err)
			}
			if err != nil {
				mu.Lock()
				failed = append(failed, name)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	slices.Sort(failed)
	return failed
}

func (r *Readiness) report(name string, err error) {
	r.metrics.setReady(name, err == nil)
	if err != nil {
		r.conditions.MetLasting(&r.log, zerolog.WarnLevel, name, "").Err(err).Str("check", name).Msg("not ready")
		return
	}
	r.conditions.Over(&r.log, name).Str("check", name).Msg("ready again")
}

// Watch runs the checks periodically until ctx ends, so that failures are logged even if nobody requests /readyz.
func (r *Readiness) Watch(ctx context.Context, period time.Duration) {
	ticker := time.NewTicker(period)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.NotReady(ctx)
		}
	}
}

// Handler serves /metrics, /livez and /readyz. A process that responds is alive. The state of its dependencies affects only
// the readiness, so that an unreachable database causes no restarts.
func Handler(m *Metrics, r *Readiness) http.Handler {
	mux := http.NewServeMux()
	// A collector whose source (Redis) is unreachable must not break the other metrics.
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // nothing to do if the client is gone
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, q *http.Request) {
		failed := r.NotReady(q.Context())
		w.Header().Set("Content-Type", "application/json")
		if len(failed) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ready": len(failed) == 0, "not_ready": failed}) // as above
	})
	return mux
}
