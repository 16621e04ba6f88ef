package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// The time limits of every HTTP server of ours: a client that sends or reads slowly holds nothing for long.
const (
	readHeaderTime = 5 * time.Second
	readTime       = 15 * time.Second
	writeTime      = 30 * time.Second
	idleTime       = 60 * time.Second
	shutdownTime   = 5 * time.Second
	maxHeaderBytes = 64 << 10
)

// ServerConfig says where a process serves its metrics and health.
type ServerConfig struct {
	MetricsListen string `split_words:"true" default:"0.0.0.0:9808" desc:"Address and port of /metrics, /livez and /readyz. Without authentication: keep the port inside."`
}

// A Server serves /metrics, /livez and /readyz of one process.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// Listen opens the port of cfg; an address that is in use is an error here, before anything runs. What it answers
// must be run, or closed by running it with a context that has ended.
func Listen(ctx context.Context, cfg ServerConfig, m *Metrics, r *Readiness) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.MetricsListen)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	return &Server{listener: listener, server: NewHTTPServer(Handler(m, r))}, nil
}

// Addr is the address that it listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends, lets requests under way end, and answers nil then.
func (s *Server) Run(ctx context.Context) error {
	if err := ServeHTTP(ctx, s.server, s.listener); err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// NewHTTPServer answers a server with all time limits set; http.Server has none by itself.
func NewHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
	}
}

// ServeHTTP serves on the listener, which it closes, until ctx ends; by TLS where the server has a TLS configuration.
// Requests under way get 5 seconds to end.
func ServeHTTP(ctx context.Context, server *http.Server, listener net.Listener) error {
	ended := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			ended <- server.ServeTLS(listener, "", "")
		} else {
			ended <- server.Serve(listener)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	err := server.Shutdown(limited)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close() // whoever is still reading has had the time
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
