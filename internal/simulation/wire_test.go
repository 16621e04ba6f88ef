package simulation

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"

	"staffeln/internal/cloudsim"
)

// wire carries the requests of our client to the cloud without a connection.
type wire struct{ cloud *cloudsim.Cloud }

var errBroken = errors.New("connection reset by peer")

// RoundTrip implements [http.RoundTripper].
func (l wire) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), bytes.NewReader(body))
	maps.Copy(in.Header, r.Header)
	out := httptest.NewRecorder()
	defer func() {
		switch value := recover(); value {
		case nil:
		case http.ErrAbortHandler:
			resp, err = nil, errBroken
		default:
			panic(value)
		}
	}()
	l.cloud.ServeHTTP(out, in)
	return out.Result(), nil
}
