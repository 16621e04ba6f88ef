package api

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"staffeln/internal/telemetry"
)

const (
	bodyLimit = "64K"           // no request of ours has a body worth more
	pingTime  = 3 * time.Second // for the database's answer
)

// base answers a server with what lies around every route, and with health.
func base(cfg Config, d Deps, w *crowd) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = answerError(d.Trouble)
	e.IPExtractor = cfg.TrustedProxies.extractor()
	e.Use(w.served, requestID, accessLog(d.Log, d.Metrics), recovered, secured, limited(cfg.RateLimit), bounded())
	e.GET("/v1/health", health(d.Ping))
	common := echo.WrapHandler(telemetry.Handler(d.Metrics, d.Ready))
	for _, path := range []string{"/livez", "/readyz"} {
		e.GET(path, common)
	}
	return e
}

// bounded limits the body of every request; the delete check has a limit of its own.
func bounded() echo.MiddlewareFunc {
	return middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{
		Limit: bodyLimit, Skipper: func(c echo.Context) bool { return c.Path() == CheckPath },
	})
}

// rest adds what is not for Cinder.
func rest(e *echo.Echo, cfg Config, d Deps) {
	e.GET("/metrics", echo.WrapHandler(telemetry.Handler(d.Metrics, d.Ready)))
	if d.Queues != nil && cfg.QueuesToken != "" {
		page := queues(cfg.QueuesToken, d.Queues)
		e.Any(QueuesPath, page)
		e.Any(QueuesPath+"/*", page)
	}
	for _, add := range d.Routes {
		add(e)
	}
}

// health answers the word that the Python Staffeln's probes look for, and only when the database answers.
func health(ping func(context.Context) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), pingTime)
		defer cancel()
		if err := ping(ctx); err != nil {
			// Why not is logged by the readiness, once; probes come every few seconds.
			return c.String(http.StatusServiceUnavailable, "False")
		}
		return c.String(http.StatusOK, "True")
	}
}
