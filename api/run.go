package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"staffeln/db"
	"staffeln/internal/telemetry"
)

// Deps are the dependencies of the API.
type Deps struct {
	// Ping returns an error if the database cannot be reached. It returns when its context ends.
	Ping func(context.Context) error
	// Checks is the database of the delete check; nil = no delete check.
	Checks  *db.Checks
	Log     zerolog.Logger
	Metrics *telemetry.Metrics
	Ready   *telemetry.Readiness
	// Queues is the queue page, which gets its requests with the whole path; nil = no page. It is served only if
	// Config.QueuesToken is set, and only for GET and HEAD.
	Queues http.Handler
	// Routes are further groups of routes.
	Routes []Routes
	// Trouble renders error pages for browsers; nil = browsers get the same errors as programs.
	Trouble Trouble
	// Listening, if not nil, is called with the API's address once it is open, then with those of the delete check and the
	// metrics if they have their own.
	Listening func(net.Addr)
}

// Routes adds a group of routes to the server. The server adds to each route: request ID, access log, metrics, security
// headers, limits of time and size, and the rate limit per client. Handlers may change the headers. They return errors instead
// of writing them: the server writes all errors in one format ([web.Problem], and [Deps.Trouble] for browsers).
type Routes func(*echo.Echo)

// Limits of the API in addition to those of every HTTP server of Staffeln. Cinder does not send slowly.
const (
	readHeaderTime = 3 * time.Second
	readTime       = 5 * time.Second
	idleTime       = 30 * time.Second
	maxHeaderBytes = 16 << 10
)

// Run serves the API until ctx ends, lets requests in progress finish, and returns nil.
func Run(ctx context.Context, cfg Config, d Deps) error {
	certificates, err := cfg.TLS.open(d.Log, d.Metrics)
	if err != nil {
		return err
	}
	listeners, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() { drain(ctx, serving, cfg.DrainTime.Std(), d.Ready); cancel() })
	shared := sharedParts{newDelays(), newProbes(d)}
	check := cfg.check(d, certificates, shared.delays)
	if check != nil {
		auditing, over := context.WithCancel(context.WithoutCancel(ctx))
		defer over() // after the last response
		wait.Go(func() { check.audit.run(auditing, d.Log) })
	}
	ended := make(chan error, len(listeners))
	few := fewLines()
	for _, l := range listeners {
		connLimiter := newConnLimiter(maxWaitingConns, func() { d.Metrics.Rejected("waiting") })
		handler := base(cfg, d, connLimiter, shared)
		shared.probes.add(handler, l.metrics)
		if l.pages {
			rest(handler, cfg, d)
		}
		if l.check && check != nil {
			handler.POST(CheckPath, check.handle)
		}
		server := telemetry.NewHTTPServer(handler)
		server.ReadHeaderTimeout, server.ReadTimeout, server.IdleTimeout, server.MaxHeaderBytes = readHeaderTime, readTime, idleTime, maxHeaderBytes
		server.ConnState, server.ConnContext = connLimiter.connState, connLimiter.connContext
		server.Protocols = new(http.Protocols) // with HTTP/2 the connection limiter could not see what a connection waits for
		server.Protocols.SetHTTP1(true)
		server.TLSConfig = certificates.config()
		server.ErrorLog = slog.NewLogLogger(connectionLog{slog.DiscardHandler, d.Log.Sample(few)}, slog.LevelInfo)
		if d.Listening != nil {
			d.Listening(l.Addr())
		}
		go func() { ended <- telemetry.ServeHTTP(serving, server, l) }()
	}
	for range listeners {
		if failed := <-ended; failed != nil && err == nil {
			err = fmt.Errorf("serve the API: %w", failed)
			cancel() // ends the other listeners too
		}
	}
	return err
}

// drain waits until ctx ends, marks the process as not ready, and then gives load balancers the drain time to notice. It
// returns early if serving ends by itself.
func drain(ctx, serving context.Context, long time.Duration, ready *telemetry.Readiness) {
	select {
	case <-serving.Done():
		return
	case <-ctx.Done():
	}
	if long == 0 {
		return
	}
	ready.Add("draining", func(context.Context) error { return errors.New("the process is shutting down") })
	over := time.NewTimer(long)
	defer over.Stop()
	select {
	case <-over.C:
	case <-serving.Done():
	}
}

// connectionLog is a slog handler that writes net/http's messages on connections, mostly failed handshakes, to our log.
type connectionLog struct {
	slog.Handler // discards

	log zerolog.Logger
}

// Enabled returns true for every level.
func (connectionLog) Enabled(context.Context, slog.Level) bool { return true }

// Handle logs one message.
func (f connectionLog) Handle(_ context.Context, r slog.Record) error {
	f.log.Info().Str("event", r.Message).Msg("connection failed")
	return nil
}
