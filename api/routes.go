package api

import (
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

const (
	bodyLimit = "64K"           // larger than any valid body
	pingTime  = 3 * time.Second // for the database ping
)

// sharedParts is what all servers of the process share.
type sharedParts struct {
	delays *delays
	probes probes
}

// base returns a server with the middleware of every route.
func base(cfg Config, d Deps, w *connLimiter, a sharedParts) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = errorHandler(d.Trouble)
	e.IPExtractor = cfg.TrustedProxies.extractor()
	e.Use(w.served, requestID, accessLog(d.Log, d.Metrics), recovered(), secured, a.delays.probed, limited(cfg.RateLimit), bounded())
	return e
}

// bounded limits the body of every request. The delete check has a limit of its own.
func bounded() echo.MiddlewareFunc {
	return middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{
		Limit: bodyLimit, Skipper: func(c echo.Context) bool { return c.Path() == CheckPath },
	})
}

// rest adds the routes that are not for Cinder: the queue page, the read API and the pages.
func rest(e *echo.Echo, cfg Config, d Deps) {
	if d.Queues != nil && cfg.QueuesToken != "" {
		page := queues(cfg.QueuesToken, d.Queues)
		e.Any(QueuesPath, page)
		e.Any(QueuesPath+"/*", page)
	}
	for _, add := range d.Routes {
		add(e)
	}
}
