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
	// attemptTimeout limits one request with its whole response. Nova takes ten seconds or more for a full page of servers; a
	// frozen message broker holds a POST for minutes (measured).
	attemptTimeout = 60 * time.Second
	// maxResponse limits the body of a response; a full page has some megabytes.
	maxResponse = 64 << 20
)

// headerRequestID is sent with an ID of ours, which the services pass on to each other and write into their logs. In a
// response it is the service's own ID.
const headerRequestID = "X-Openstack-Request-Id"

// A wire is the only http.RoundTripper under all our clients. One call is one attempt: it limits the time, sets a request
// ID, reads the whole response (so that a truncated response is an error only here), logs and counts the request. It does
// not retry.
type wire struct {
	kept http.RoundTripper // reuses its connections
	// fresh opens a new connection for each request; every POST uses it. On a reused connection the client can't distinguish a
	// server that closes an idle connection from one that died after it executed the request, and a creation would be Unknown.
	fresh   http.RoundTripper
	timeout time.Duration
	clock   clock
	observe Observer
}

// A wireError is the error of a request without a whole response.
type wireError struct {
	err       error
	requestID string // ours
	// unsent: no connection could be opened (refused, no route, no such host, failed handshake), so the cloud certainly never
	// received the request.
	unsent bool
}

func (e *wireError) Error() string { return e.err.Error() }
func (e *wireError) Unwrap() error { return e.err }

// errTooLong means that the response is longer than any of our lists can be.
var errTooLong = fmt.Errorf("the response is longer than %d MiB", maxResponse>>20)

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
	took := w.clock.now().Sub(began)
	line := zerolog.Ctx(parent).Debug().Str("method", req.Method).Str("route", routeOf(req.URL.Path)).
		Str("request_id", requestID).Float64("duration_seconds", took.Seconds())
	if err != nil {
		w.observe(req.Method, routeOf(req.URL.Path), 0, took)
		line.Err(err).Msg("no response from the cloud")
		return nil, &wireError{err: err, requestID: requestID, unsent: !connected.Load()}
	}
	w.observe(req.Method, routeOf(req.URL.Path), resp.StatusCode, took)
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
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	err = errors.Join(err, resp.Body.Close())
	switch {
	case err != nil:
		return nil, fmt.Errorf("read response: %w", err)
	case len(body) > maxResponse:
		return nil, errTooLong
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// newRequestID returns `req-<uuid>`; oslo.middleware ignores other forms.
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("req-%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
