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

// checkTime is how long all checks of one look may take together.
const checkTime = 3 * time.Second

// Readiness is what must hold before a process can do its work: named checks. It may be used from several goroutines.
type Readiness struct {
	log zerolog.Logger

	mu         sync.Mutex
	checks     map[string]func(context.Context) error
	conditions Conditions // checks that fail
}

// NewReadiness answers a readiness without checks, which is ready.
func NewReadiness(log zerolog.Logger) *Readiness {
	return &Readiness{log: log, checks: map[string]func(context.Context) error{}}
}

// Add adds a check; one of the same name is replaced. The check must obey its context.
func (r *Readiness) Add(name string, check func(context.Context) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.checks[name] = check
}

// NotReady runs all checks at the same time and answers the names of those that fail, sorted. Why they fail is only
// logged, when a check begins to fail and when that ends: the page may be open to people who should not read addresses.
func (r *Readiness) NotReady(ctx context.Context) []string {
	asked := ctx
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
			if asked.Err() == nil { // what fails because nobody waits for it is no news
				r.tell(name, err)
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

func (r *Readiness) tell(name string, err error) {
	if err != nil {
		r.conditions.MetLasting(&r.log, zerolog.WarnLevel, name, "").Err(err).Str("check", name).Msg("not ready")
		return
	}
	r.conditions.Over(&r.log, name).Str("check", name).Msg("ready again")
}

// Watch runs the checks again and again until ctx ends, so that the log says what is away also where nobody asks.
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

// Handler serves /metrics, /livez and /readyz. A process that answers is alive; whether the world around it is in
// order is a question of readiness alone, so that a database that is away restarts nothing.
func Handler(m *Metrics, r *Readiness) http.Handler {
	mux := http.NewServeMux()
	// A collector whose source is away (Redis) must not take the other metrics with it.
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("ok\n")) // nobody is left to tell
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
