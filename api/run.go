package api

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"staffeln/internal/telemetry"
)

// Deps are what the API asks of others.
type Deps struct {
	// Ping tells whether the database answers; it obeys its context.
	Ping    func(context.Context) error
	Log     zerolog.Logger
	Metrics *telemetry.Metrics
	Ready   *telemetry.Readiness
	// Queues is the page of the queues, which sees its requests with their whole path; nil = there is none. It is
	// shown only where Config.QueuesToken is set, and asked only for what reads.
	Queues http.Handler
	// Routes are further groups of routes, each added to the server by one call.
	Routes []Routes
	// Listening, where it is not nil, is told the address once the API answers there.
	Listening func(net.Addr)
}

// Routes adds a group of routes to the server, which lays around each of them: request ID, access log, metrics by route,
// security headers, limits of time and size, and the rate limit per client. A handler that needs other headers sets them.
// Errors are returned, not written: the server has one shape for all.
type Routes func(*echo.Echo)

// Run serves the API until ctx ends, lets requests under way end, and answers nil then.
func Run(ctx context.Context, cfg Config, d Deps) error {
	certificate, err := cfg.TLS.config()
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	if d.Listening != nil {
		d.Listening(listener.Addr())
	}
	server := telemetry.NewHTTPServer(routes(cfg, d))
	server.TLSConfig = certificate
	if err := telemetry.ServeHTTP(ctx, server, listener); err != nil {
		return fmt.Errorf("serve the API: %w", err)
	}
	return nil
}
