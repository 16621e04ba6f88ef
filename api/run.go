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

// Deps are what the API asks of others.
type Deps struct {
	// Ping tells whether the database answers; it obeys its context.
	Ping func(context.Context) error
	// Checks answers the delete check; nil = there is none.
	Checks  *db.Checks
	Log     zerolog.Logger
	Metrics *telemetry.Metrics
	Ready   *telemetry.Readiness
	// Queues is the page of the queues, which sees its requests with their whole path; nil = there is none. It is
	// shown only where Config.QueuesToken is set, and asked only for what reads.
	Queues http.Handler
	// Routes are further groups of routes, each added to the server by one call.
	Routes []Routes
	// Trouble shows errors to browsers; nil = they are told like programs.
	Trouble Trouble
	// Listening, where it is not nil, is told the address once the API answers there, then that of the check and that of the
	// metrics where they have one of their own.
	Listening func(net.Addr)
}

// Routes adds a group of routes to the server, which lays around each of them: request ID, access log, metrics by route,
// security headers, limits of time and size, and the rate limit per client. A handler that needs other headers sets them.
// Errors are returned, not written: the server has one shape for all ([web.Problem], and [Deps.Trouble] for browsers).
type Routes func(*echo.Echo)

// The time limits of the API beside those of every server of ours: a client that sends slowly is no Cinder.
const (
	readHeaderTime = 3 * time.Second
	readTime       = 5 * time.Second
	idleTime       = 30 * time.Second
	maxHeaderBytes = 16 << 10
)

// Run serves the API until ctx ends, lets requests under way end, and answers nil then.
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
	shared := around{newDelays(), newProbes(d)}
	check := cfg.check(d, certificates, shared.delays)
	if check != nil {
		ledgered, over := context.WithCancel(context.WithoutCancel(ctx))
		defer over() // after the last answer
		wait.Go(func() { check.cinderBody.run(ledgered, d.Log) })
	}
	ended := make(chan error, len(listeners))
	few := fewLines()
	for _, l := range listeners {
		connLimiter := newConnLimiter(mostWaiting, func() { d.Metrics.Rejected("waiting") })
		handler := base(cfg, d, connLimiter, shared)
		shared.probes.add(handler, l.metrics)
		if l.pages {
			rest(handler, cfg, d)
		}
		if l.check && check != nil {
			handler.POST(CheckPath, check.answer)
		}
		server := telemetry.NewHTTPServer(handler)
		server.ReadHeaderTimeout, server.ReadTimeout, server.IdleTimeout, server.MaxHeaderBytes = readHeaderTime, readTime, idleTime, maxHeaderBytes
		server.ConnState, server.ConnContext = connLimiter.connState, connLimiter.connContext
		server.Protocols = new(http.Protocols) // of a connection of HTTP/2 the crowd would not know what it waits for
		server.Protocols.SetHTTP1(true)
		server.TLSConfig = certificates.config()
		server.ErrorLog = slog.NewLogLogger(faults{slog.DiscardHandler, d.Log.Sample(few)}, slog.LevelInfo)
		if d.Listening != nil {
			d.Listening(l.Addr())
		}
		go func() { ended <- telemetry.ServeHTTP(serving, server, l) }()
	}
	for range listeners {
		if failed := <-ended; failed != nil && err == nil {
			err = fmt.Errorf("serve the API: %w", failed)
			cancel() // the other one too
		}
	}
	return err
}

// drain waits until ctx ends, says then that the process is not ready, and gives those who send requests the time to
// notice; it returns early where serving ends by itself.
func drain(ctx, serving context.Context, long time.Duration, ready *telemetry.Readiness) {
	select {
	case <-serving.Done():
		return
	case <-ctx.Done():
	}
	if long == 0 {
		return
	}
	ready.Add("draining", func(context.Context) error { return errors.New("the process was told to end") })
	over := time.NewTimer(long)
	defer over.Stop()
	select {
	case <-over.C:
	case <-serving.Done():
	}
}

// faults takes what net/http tells of connections, handshakes that failed above all, into our log.
type faults struct {
	slog.Handler // of nothing

	log zerolog.Logger
}

// Enabled takes every line.
func (faults) Enabled(context.Context, slog.Level) bool { return true }

// Handle takes one.
func (f faults) Handle(_ context.Context, r slog.Record) error {
	f.log.Info().Str("what", r.Message).Msg("connection failed")
	return nil
}
