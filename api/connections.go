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

// mostWaiting is how many connections of one address may wait for what their clients send: half-open ones, slow ones
// and those kept alive. Cinder sends its question at once.
const mostWaiting = 2048

// crowd are the connections of a server that wait for their clients, the longest first. Where there are too many, the
// one that waited longest is closed: whoever opens ten thousand and sends nothing keeps no others out, and costs no more
// memory than so many. (netutil.LimitListener would accept nobody meanwhile.)
type connLimiter struct {
	most     int
	rejected func()

	mu      sync.Mutex
	waiting *simplelru.LRU[net.Conn, struct{}] // the longest waiting first; none of it is ever moved
}

func newConnLimiter(most int, turnedAway func()) *connLimiter {
	waiting, _ := simplelru.NewLRU[net.Conn, struct{}](most, nil) // an error only where the limit is not positive
	return &connLimiter{most: most, rejected: turnedAway, waiting: waiting}
}

// connState is the server's hook.
func (w *connLimiter) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		if longest := w.add(conn); longest != nil {
			w.rejected()
			_ = longest.Close() // nobody is left to tell
		}
	case http.StateActive: // its first byte came, not yet its last
	case http.StateClosed, http.StateHijacked:
		w.remove(conn)
	}
}

// comes answers whom to close.
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
		return encrypted.NetConn() // without a farewell, which could wait for its reader
	}
	return longest
}

func (w *connLimiter) remove(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting.Remove(conn)
}

type connection struct{}

// connContext is the server's hook: a request knows its connection.
func (w *connLimiter) connContext(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connection{}, conn)
}

// served takes a request's connection out of the crowd once all of it was read.
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

// awaited tells when a body was read to its end.
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
