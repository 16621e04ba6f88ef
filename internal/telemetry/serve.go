package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Limits of every HTTP server of Staffeln: a slow client does not hold resources for long.
const (
	readHeaderTime = 5 * time.Second
	readTime       = 15 * time.Second
	writeTime      = 30 * time.Second
	idleTime       = 60 * time.Second
	shutdownTime   = 5 * time.Second
	maxHeaderBytes = 64 << 10
)

// ServerConfig is where a process serves its metrics and health.
type ServerConfig struct {
	MetricsListen string `split_words:"true" default:"0.0.0.0:9808" desc:"Address and port of /metrics, /livez and /readyz. Unauthenticated: do not expose it."`
}

// A Server serves /metrics, /livez and /readyz of a process.
type Server struct {
	listener net.Listener
	server   *http.Server
}

// Listen opens the port of cfg, so that an address in use is an error before anything runs. The caller must call [Server.Run],
// which closes the port; with an ended context it only closes.
func Listen(ctx context.Context, cfg ServerConfig, m *Metrics, r *Readiness) (*Server, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.MetricsListen)
	if err != nil {
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	return &Server{listener: listener, server: NewHTTPServer(Handler(m, r))}, nil
}

// Addr returns the listening address.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Run serves until ctx ends, lets requests in progress finish, and returns nil.
func (s *Server) Run(ctx context.Context) error {
	if err := ServeHTTP(ctx, s.server, s.listener); err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// NewHTTPServer returns a server with all timeouts set. http.Server has no timeouts by default.
func NewHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: readHeaderTime, ReadTimeout: readTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeaderBytes,
	}
}

// ServeHTTP serves on the listener until ctx ends, and closes it. It uses TLS if the server has a TLS configuration. Requests
// in progress get 5 seconds to finish.
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
		err = server.Close() // slow clients had their time
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
