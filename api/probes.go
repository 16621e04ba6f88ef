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
	recentTime  = 200 * time.Millisecond // for which an answer of a probe is given to all who ask
	readTimeout = 5 * time.Second        // for one look
)

// recent answers requests from one look of a few moments ago: thousands of clients at the probes cost no more than five looks a
// second, and whoever hangs up ends nobody else's.
type recent struct {
	look http.Handler

	mu    sync.Mutex
	since func() time.Duration // nil: nobody has looked yet
	seen  *kept
}

// kept is an answer; it is an http.ResponseWriter.
type kept struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (k *kept) Header() http.Header         { return k.header }
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }
func (k *kept) WriteHeader(status int)      { k.status = status }

func recently(look http.Handler) echo.HandlerFunc {
	r := &recent{look: look}
	return func(c echo.Context) error {
		answer := r.answer(c.Request())
		for _, name := range []string{echo.HeaderContentType} {
			c.Response().Header().Set(name, answer.header.Get(name))
		}
		c.Response().WriteHeader(answer.status)
		_, err := c.Response().Write(answer.body.Bytes())
		return err
	}
}

func (r *recent) answer(request *http.Request) *kept {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.since != nil && r.since() < recentTime {
		return r.seen
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(request.Context()), readTimeout)
	defer cancel()
	plain := request.Clone(ctx)
	plain.Header.Del(echo.HeaderAcceptEncoding) // one answer for all
	answer := &kept{status: http.StatusOK, header: http.Header{}}
	r.look.ServeHTTP(answer, plain)
	r.since, r.seen = telemetry.Stopwatch(), answer
	return answer
}

// probes are what watches the process asks for.
type probes struct{ health, livez, readyz, metrics echo.HandlerFunc }

func newProbes(d Deps) probes {
	common := telemetry.Handler(d.Metrics, d.Ready)
	return probes{recently(health(d.Ping)), echo.WrapHandler(common), recently(common), recently(common)}
}

// add serves health, and metrics only where they belong: behind no page and beside no check where they have an address of their
// own.
func (p probes) add(e *echo.Echo, metrics bool) {
	e.GET("/v1/health", p.health)
	e.GET("/livez", p.livez)
	e.GET("/readyz", p.readyz)
	if metrics {
		e.GET("/metrics", p.metrics)
	}
}

// health answers the word that the Python Staffeln's probes look for, and only when the database answers.
func health(ping func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		ctx, cancel := context.WithTimeout(request.Context(), pingTime)
		defer cancel()
		w.Header().Set(echo.HeaderContentType, echo.MIMETextPlainCharsetUTF8)
		if err := ping(ctx); err != nil {
			// Why not is logged by the readiness, once; probes come every few seconds.
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte("False")) // to a buffer
			return
		}
		_, _ = w.Write([]byte("True")) // to a buffer
	})
}
