package api

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"staffeln/api/web"
	"staffeln/internal/telemetry"
)

const (
	delayTime    = time.Second // by which an answer comes later, or half as much more or less: who asked together comes back apart
	delayAfter   = 20          // requests a second of one address that are not delayed
	delayBurst   = 100
	delayed      = 1024 // at a time; what is more is ended without an answer
	delayClients = 4096 // whose rate is remembered; the next ones share one
)

// delays slow down who asks too often for what is none of Cinder's questions (probes, bodies that can't be read, questions without
// the certificate). The answer stays the same, so that no probe fails because somebody else at its address asks.
type delays struct {
	held held

	mu      sync.Mutex
	since   func() time.Duration // the limits were new
	clients limiters
}

func newDelays() *delays {
	return &delays{since: telemetry.Stopwatch(), held: make(held, delayed), clients: newLimiters(delayAfter, delayBurst, delayClients)}
}

// wait returns at once, or after about a second where the address asks too often. It reports whether to answer at all.
func (d *delays) wait(request *http.Request, address string) bool {
	return d.allow(address) || d.held.wait(request.Context(), delayTime/2+rand.N(delayTime)) //nolint:gosec // no secret
}

func (d *delays) allow(address string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.since() > time.Minute {
		d.since = telemetry.Stopwatch()
		clear(d.clients.known)
	}
	return d.clients.of(address).Allow()
}

// probed delays probes.
func (d *delays) probed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if probePaths[c.Path()] && !d.wait(c.Request(), web.Client(c.RealIP())) {
			return tooMany(c)
		}
		return next(c)
	}
}

// tooMany ends a connection for which there is no room.
func tooMany(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderConnection, "close")
	return echo.NewHTTPError(http.StatusServiceUnavailable)
}
