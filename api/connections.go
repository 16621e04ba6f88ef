package api

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/labstack/echo/v4"
)

// maxWaitingConns is how many connections of one listener may wait for their clients: half-open, slow and kept-alive ones. Cinder
// sends its request at once.
const maxWaitingConns = 2048

// connLimiter holds the connections of a server that wait for their clients, the longest waiting first. If there are too many,
// it closes the one that waited longest: a client that opens ten thousand connections and sends nothing does not block others,
// and the memory is bounded. (netutil.LimitListener would accept no new connections meanwhile.)
type connLimiter struct {
	most     int
	rejected func()

	mu      sync.Mutex
	waiting *simplelru.LRU[net.Conn, struct{}] // ordered by insertion; entries are never moved
}

func newConnLimiter(most int, rejected func()) *connLimiter {
	waiting, _ := simplelru.NewLRU[net.Conn, struct{}](most, nil) // an error only if the limit is not positive
	return &connLimiter{most: most, rejected: rejected, waiting: waiting}
}

// connState is the server's ConnState hook.
func (w *connLimiter) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		if longest := w.add(conn); longest != nil {
			w.rejected()
			_ = longest.Close() // the client is gone or does not read
		}
	case http.StateActive: // the first byte of a request has come, the last one not yet
	case http.StateClosed, http.StateHijacked:
		w.remove(conn)
	}
}

// add returns the connection to close, or nil.
func (w *connLimiter) add(conn net.Conn) (longest net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting.Contains(conn) {
		return nil
	}
	if w.waiting.Len() == w.most {
		longest, _, _ = w.waiting.RemoveOldest()
	}
	w.waiting.Add(conn, struct{}{})
	if encrypted, is := longest.(*tls.Conn); is {
		return encrypted.NetConn() // without TLS close_notify, which could block on a client that does not read
	}
	return longest
}

func (w *connLimiter) remove(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting.Remove(conn)
}

type connection struct{}

// connContext is the server's ConnContext hook. It stores the connection in the context of its requests.
func (w *connLimiter) connContext(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connection{}, conn)
}

// served removes the connection of a request from the waiting ones once the whole request has been read.
func (w *connLimiter) served(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		request := c.Request()
		if conn, is := request.Context().Value(connection{}).(net.Conn); is {
			if request.ContentLength == 0 {
				w.remove(conn)
			} else {
				request.Body = &awaited{request.Body, func() { w.remove(conn) }}
			}
		}
		return next(c)
	}
}

// awaited is a request body that calls over when it was read to its end.
type awaited struct {
	io.ReadCloser

	over func()
}

func (b *awaited) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.over()
	}
	return n, err
}
