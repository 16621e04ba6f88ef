package api

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"staffeln/internal/telemetry"
)

const (
	recentTime  = 200 * time.Millisecond // for how long a probe's response is reused for all clients
	readTimeout = 5 * time.Second        // of one check
)

// recent caches the response of a probe: thousands of clients cause at most five checks per second. A client that disconnects
// does not cancel the check for the others.
type recent struct {
	handler http.Handler

	mu    sync.Mutex
	since func() time.Duration // nil: no response yet
	seen  *kept
}

// kept is a recorded response; it implements http.ResponseWriter.
type kept struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }
func (k *kept) WriteHeader(status int)      { k.status = status }

func recently(handler http.Handler) echo.HandlerFunc {
	r := &recent{handler: handler}
	return func(c echo.Context) error {
		response := r.response(c.Request())
		for _, name := range []string{echo.HeaderContentType} {
			c.Response().Header().Set(name, response.header.Get(name))
		}
		c.Response().WriteHeader(response.status)
		_, err := c.Response().Write(response.body.Bytes())
		return err
	}
}

func (r *recent) response(request *http.Request) *kept {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since != nil && r.since() < recentTime {
		return r.seen
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(request.Context()), readTimeout)
	defer cancel()
	plain := request.Clone(ctx)
	plain.Header.Del(echo.HeaderAcceptEncoding) // one response for all clients
	response := &kept{status: http.StatusOK, header: http.Header{}}
	r.handler.ServeHTTP(response, plain)
	r.since, r.seen = telemetry.Stopwatch(), response
	return response
}

// probes holds the handlers for health, readiness and metrics.
type probes struct{ health, livez, readyz, metrics echo.HandlerFunc }

func newProbes(d Deps) probes {
	common := telemetry.Handler(d.Metrics, d.Ready)
	return probes{recently(health(d.Ping)), echo.WrapHandler(common), recently(common), recently(common)}
}

// add adds the routes for health, and those for metrics if this listener serves them: with an address of their own, metrics
// are not served beside pages or the delete check.
func (p probes) add(e *echo.Echo, metrics bool) {
	e.GET("/v1/health", p.health)
	e.GET("/livez", p.livez)
	e.GET("/readyz", p.readyz)
	if metrics {
		e.GET("/metrics", p.metrics)
	}
}

// health returns `True` if the database can be reached, as the probes of the Python Staffeln expect.
func health(ping func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		ctx, cancel := context.WithTimeout(request.Context(), pingTime)
		defer cancel()
		w.Header().Set(echo.HeaderContentType, echo.MIMETextPlainCharsetUTF8)
		if err := ping(ctx); err != nil {
			// The readiness check logs the cause once; probes come every few seconds.
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("False")) // written to a buffer
			return
		}
		_, _ = w.Write([]byte("True")) // written to a buffer
	})
}
