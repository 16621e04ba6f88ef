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
	delayTime    = time.Second // mean delay, ±50 % at random, so that clients that were delayed together do not come back together
	delayAfter   = 20          // requests per second of one address without delay
	delayBurst   = 100
	maxDelayed   = 1024 // requests delayed at a time; further ones get 503
	delayClients = 4096 // addresses with a rate limit of their own; all others share one
)

// delays holds back addresses that send too many requests other than valid delete checks: probes, invalid bodies, requests without
// the required certificate. The response is the same, so no probe fails because another client at its address sends many
// requests.
type delays struct {
	slots slots

	mu      sync.Mutex
	since   func() time.Duration // since when the limiters were last cleared
	clients limiters
}

func newDelays() *delays {
	return &delays{since: telemetry.Stopwatch(), slots: make(slots, maxDelayed), clients: newLimiters(delayAfter, delayBurst, delayClients)}
}

// wait returns at once, or after about a second if the address sends too many requests. It returns false if too many requests
// are delayed already.
func (d *delays) wait(request *http.Request, address string) bool {
	return d.allow(address) || d.slots.wait(request.Context(), delayTime/2+rand.N(delayTime)) //nolint:gosec // no secret
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

// probed delays probes of addresses that send too many.
func (d *delays) probed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if probePaths[c.Path()] && !d.wait(c.Request(), web.Client(c.RealIP())) {
			return tooMany(c)
		}
		return next(c)
	}
}

// tooMany returns 503 and closes the connection, because too many requests are delayed already.
func tooMany(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderConnection, "close")
	return echo.NewHTTPError(http.StatusServiceUnavailable)
}
