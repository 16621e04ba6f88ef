package api

import (
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"golang.org/x/time/rate"

	"staffeln/api/web"
)

// burst is for how many seconds' worth of requests a client that was silent may ask at once: a page asks for several
// things together.
const burst = 5

// unlimited reports the routes that no rate limit ever refuses.
func unlimited(path string) bool { return probePaths[path] || path == CheckPath }

// limited answers 429 to a client that sends more than so many requests a second, also for paths that are not there.
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
