package api

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/rs/zerolog"

	"staffeln/internal/telemetry"
)

// validRequestID matches the request IDs that are accepted from a client. Others would fill the log with long or unreadable text.
var validRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID gives each request an ID: the client's own if it matches, otherwise a random one. Echo's middleware accepts any
// value.
func requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !validRequestID.MatchString(id) {
			var random [12]byte
			_, _ = rand.Read(random[:]) // documented never to fail
			id = "req-" + hex.EncodeToString(random[:])
		}
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

// probePaths are requested periodically. Failures are logged once, by the readiness check.
var probePaths = map[string]bool{"/v1/health": true, "/livez": true, "/readyz": true, "/metrics": true}

// accessLog counts, measures and logs each request. Server errors are warnings. The level is debug for probes, for the
// periodic requests of an open queue page, and for successful delete checks: refusals have log lines of their own.
func accessLog(log zerolog.Logger, metrics *telemetry.Metrics) echo.MiddlewareFunc {
	few := fewLines()
	var failing telemetry.Conditions // by route: an open page and Cinder repeat their requests
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			took := telemetry.Stopwatch()
			request, response := c.Request(), c.Response()
			log := log.With().Str("request_id", response.Header().Get(echo.HeaderXRequestID)).Logger()
			c.SetRequest(request.WithContext(log.WithContext(request.Context())))
			err := next(c)
			if err != nil {
				c.Error(err) // writes the response now, so that its status is known here
			}
			seconds := took()
			metrics.APIRequest(request.Method, c.Path(), response.Status, seconds)
			if request.URL.Path == CheckPath {
				log = log.Sample(few) // anyone who can reach the check can cause refusals
			}
			level, route := zerolog.InfoLevel, request.Method+" "+c.Path()
			if response.Status < 500 {
				failing.Over(&log, route).Str("route", route).Msg("requests served again")
			}
			switch {
			case probePaths[request.URL.Path],
				response.Status < 400 && (request.URL.Path == CheckPath || strings.HasPrefix(request.URL.Path, queuesData)):
				level = zerolog.DebugLevel
			case response.Status >= 500:
				level = zerolog.WarnLevel
			}
			line := func() *zerolog.Event { return log.WithLevel(level) } //nolint:zerologlint // sent below
			if level == zerolog.WarnLevel {
				line = func() *zerolog.Event { return failing.Met(&log, level, route, strconv.Itoa(response.Status)) }
			}
			line().Err(err).Str("method", request.Method).Str("path", request.URL.Path).
				Int("status", response.Status).Int64("bytes", response.Size).
				Str("remote", request.RemoteAddr).Float64("seconds", seconds.Seconds()).Msg("request")
			return nil
		}
	}
}

// maxLines is the maximum of log lines per minute that anyone can cause, per kind. The metrics count all.
const maxLines = 100

func fewLines() zerolog.Sampler { return &zerolog.BurstSampler{Burst: maxLines, Period: time.Minute} }

// recovered turns a panic of a handler into an error of that request.
func recovered() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableStackAll: true, DisableErrorHandler: true, // errorHandler writes the error
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			zerolog.Ctx(c.Request().Context()).Error().Err(err).Bytes("stack", stack).Msg("request handler panicked")
			return err
		},
	})
}

// secured sets the security headers of every response. Handlers of pages set a policy of their own. Echo's middleware trusts
// X-Forwarded-Proto of any client and does not set Cache-Control: no-store.
func secured(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		if c.IsTLS() {
			header.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}
