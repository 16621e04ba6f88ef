package api

import (
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"staffeln/api/web"
)

// burst is how many seconds' worth of requests a client may send at once: a page sends several requests together.
const burst = 5

// unlimited reports whether a route has no rate limit.
func unlimited(path string) bool { return probePaths[path] || path == CheckPath }

// limited returns 429 to a client that sends more requests per second than allowed, also for paths that do not exist.
func limited(perSecond int) echo.MiddlewareFunc {
	if perSecond == 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	return middleware.RateLimiterWithConfig(middleware.RateLimiterConfig{
		Skipper: func(c echo.Context) bool { return unlimited(c.Path()) },
		Store: middleware.NewRateLimiterMemoryStoreWithConfig(middleware.RateLimiterMemoryStoreConfig{
			Rate: rate.Limit(perSecond), Burst: burst * perSecond,
		}),
		IdentifierExtractor: func(c echo.Context) (string, error) { return web.Client(c.RealIP()), nil },
		DenyHandler: func(c echo.Context, _ string, _ error) error {
			c.Response().Header().Set("Retry-After", "1")
			return middleware.ErrRateLimitExceeded
		},
	})
}
