package openstack

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
)

const (
	// attemptTimeout bounds one request with its whole answer. A full page of
	// servers takes Nova ten seconds and more; a frozen broker holds a POST for
	// minutes (measured).
	attemptTimeout = 60 * time.Second
	// maxAnswer bounds the body of an answer; a full page has some megabytes.
	maxAnswer = 64 << 20
)

// headerRequestID is sent with an ID of ours, which the services hand on to each
// other and write into their logs, and answered with the service's own.
const headerRequestID = "X-Openstack-Request-Id"

// A wire is the one http.RoundTripper under all our clients. One call of it is
// one attempt: it bounds it in time, gives it a request ID, reads the whole
// answer (so that half an answer is an error here and nowhere else), logs and
// counts it. It repeats nothing.
type wire struct {
	kept http.RoundTripper // keeps its connections
	// fresh makes a connection for each request: every POST goes there. On a
	// kept one, the server's closing of an idle connection looks the same as its
	// death after it had executed the request, and a creation would be Unknown.
	fresh   http.RoundTripper
	timeout time.Duration
	clock   clock
	observe func(method, route string, status int)
}

// A wireError is a request that got no whole answer.
type wireError struct {
	err       error
	requestID string // ours
	// unsent: there was no connection to send it on (refused, no route, no such
	// host, handshake failed), so the cloud certainly never saw it.
	unsent bool
}

func (e *wireError) Error() string { return e.err.Error() }
func (e *wireError) Unwrap() error { return e.err }

// errTooLong is an answer that no list of ours can have.
var errTooLong = fmt.Errorf("the answer is longer than %d MiB", maxAnswer>>20)

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	parent := req.Context()
	ctx, cancel := context.WithTimeout(parent, w.timeout)
	defer cancel()
	var connected atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	req = req.Clone(ctx)
	requestID := newRequestID()
	req.Header.Set(headerRequestID, requestID)

	began := w.clock.now()
	resp, err := w.attempt(req)
	line := zerolog.Ctx(parent).Debug().Str("method", req.Method).Str("route", routeOf(req.URL.Path)).
		Str("request_id", requestID).Dur("duration", w.clock.now().Sub(began))
	if err != nil {
		w.observe(req.Method, routeOf(req.URL.Path), 0)
		line.Err(err).Msg("cloud gave no answer")
		return nil, &wireError{err: err, requestID: requestID, unsent: !connected.Load()}
	}
	w.observe(req.Method, routeOf(req.URL.Path), resp.StatusCode)
	line.Int("status", resp.StatusCode).Str("cloud_request_id", resp.Header.Get(headerRequestID)).Msg("cloud called")
	return resp, nil
}

func (w *wire) attempt(req *http.Request) (*http.Response, error) {
	base := w.kept
	if req.Method == http.MethodPost {
		base = w.fresh
	}
	resp, err := base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	err = errors.Join(err, resp.Body.Close())
	switch {
	case err != nil:
		return nil, fmt.Errorf("read answer: %w", err)
	case len(body) > maxAnswer:
		return nil, errTooLong
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// newRequestID returns `req-<uuid>`: other forms are ignored by oslo.middleware.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("req-%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
