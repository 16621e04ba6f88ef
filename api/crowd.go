package api

import (
	"container/list"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"
)

// mostWaiting is how many connections of one address may wait for what their clients send: half-open ones, slow ones
// and those kept alive. Cinder sends its question at once.
const mostWaiting = 2048

// crowd are the connections of a server that wait for their clients, the longest first. Where there are too many, the
// one that waited longest is closed: whoever opens ten thousand and sends nothing keeps no others out, and costs no more
// memory than so many.
type crowd struct {
	most       int
	turnedAway func()

	mu      sync.Mutex
	waiting *list.List // of net.Conn
	places  map[net.Conn]*list.Element
}

func newCrowd(most int, turnedAway func()) *crowd {
	return &crowd{most: most, turnedAway: turnedAway, waiting: list.New(), places: map[net.Conn]*list.Element{}}
}

// connState is the server's hook.
func (w *crowd) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		if longest := w.comes(conn); longest != nil {
			w.turnedAway()
			_ = longest.Close() // nobody is left to tell
		}
	case http.StateActive: // its first byte came, not yet its last
	case http.StateClosed, http.StateHijacked:
		w.goes(conn)
	}
}

// comes answers whom to close.
func (w *crowd) comes(conn net.Conn) (longest net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, is := w.places[conn]; is {
		return nil
	}
	w.places[conn] = w.waiting.PushBack(conn)
	if w.waiting.Len() <= w.most {
		return nil
	}
	longest, _ = w.waiting.Remove(w.waiting.Front()).(net.Conn)
	delete(w.places, longest)
	if encrypted, is := longest.(*tls.Conn); is {
		return encrypted.NetConn() // without a farewell, which could wait for its reader
	}
	return longest
}

func (w *crowd) goes(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if place, is := w.places[conn]; is {
		w.waiting.Remove(place)
		delete(w.places, conn)
	}
}

type connection struct{}

// connContext is the server's hook: a request knows its connection.
func (w *crowd) connContext(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connection{}, conn)
}

// served takes a request's connection out of the crowd once all of it was read.
func (w *crowd) served(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		request := c.Request()
		if conn, is := request.Context().Value(connection{}).(net.Conn); is {
			if request.ContentLength == 0 {
				w.goes(conn)
			} else {
				request.Body = &awaited{request.Body, func() { w.goes(conn) }}
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
