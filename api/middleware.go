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

// given are the request IDs that are taken from a client: anything longer or stranger would only fill the log.
var given = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// requestID gives each request an ID, the client's own where it is readable; echo's middleware takes over whatever a client sends.
func requestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !given.MatchString(id) {
			var random [12]byte
			_, _ = rand.Read(random[:]) // never fails, by its documentation
			id = "req-" + hex.EncodeToString(random[:])
		}
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		return next(c)
	}
}

// probePaths are asked again and again; what is not ready is logged by the readiness, once.
var probePaths = map[string]bool{"/v1/health": true, "/livez": true, "/readyz": true, "/metrics": true}

// accessLog counts and measures each request and writes a line for it: a warning where the fault is ours, and only for
// debugging where a probe asked, a page that is open asks again and again, or the delete check answered, whose refusals have lines of
// their own.
func accessLog(log zerolog.Logger, metrics *telemetry.Metrics) echo.MiddlewareFunc {
	few := fewLines()
	var failing telemetry.Conditions // by route: a page that is open, and Cinder, ask again and again
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			took := telemetry.Stopwatch()
			request, response := c.Request(), c.Response()
			log := log.With().Str("request_id", response.Header().Get(echo.HeaderXRequestID)).Logger()
			c.SetRequest(request.WithContext(log.WithContext(request.Context())))
			err := next(c)
			if err != nil {
				c.Error(err) // writes the answer now, so that the line knows its status
			}
			seconds := took()
			metrics.APIRequest(request.Method, c.Path(), response.Status, seconds)
			if request.URL.Path == CheckPath {
				log = log.Sample(few) // whoever reaches the check can make it refuse
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

// linesMost are the lines of one kind that anybody can cause, and that a minute's log has; the metrics count all.
const linesMost = 100

func fewLines() zerolog.Sampler { return &zerolog.BurstSampler{Burst: linesMost, Period: time.Minute} }

// recovered turns a panic into an error of this one request.
func recovered() echo.MiddlewareFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisableStackAll: true, DisableErrorHandler: true, // the access log has the error written
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			zerolog.Ctx(c.Request().Context()).Error().Err(err).Bytes("stack", stack).Msg("request handler panicked")
			return err
		},
	})
}

// secured sets what every answer says to a browser; a page that needs more than nothing sets a policy of its own. Echo's middleware
// believes everybody's X-Forwarded-Proto, and does not forbid to store an answer.
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
