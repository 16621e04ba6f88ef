// Package inprocess is the common part of the tests that run the whole program in one process: a cloudsim without network, a
// database, and access to leadership and tables.
package inprocess

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"

	"staffeln/internal/cloudsim"
	"staffeln/openstack"
)

// address is the host in the catalogue of the cloud. Nothing listens there.
const address = "http://cloud.example"

var errReset = errors.New("connection reset by peer")

// Transport passes requests to a cloudsim without a connection.
type Transport struct{ Cloud *cloudsim.Cloud }

// RoundTrip implements [http.RoundTripper].
func (t Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	body, err := Body(r)
	if err != nil {
		return nil, err
	}
	return t.Send(r, body)
}

// Body reads and closes the body of a request.
func Body(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer func() { _ = r.Body.Close() }()
	return io.ReadAll(r.Body)
}

// Send executes a request whose body has been read already.
func (t Transport) Send(r *http.Request, body []byte) (resp *http.Response, err error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), bytes.NewReader(body))
	in.Header = r.Header.Clone()
	out := httptest.NewRecorder()
	defer func() {
		switch value := recover(); value {
		case nil:
		case http.ErrAbortHandler:
			resp, err = nil, errReset
		default:
			panic(value)
		}
	}()
	t.Cloud.ServeHTTP(out, in)
	return out.Result(), nil
}

// Connect returns a new cloud client for a process, as the service user with this password.
func Connect(ctx context.Context, cloud *cloudsim.Cloud, password string, over http.RoundTripper) (*openstack.Cloud, error) {
	env := cloud.OpenRC(address)
	env["OS_PASSWORD"] = password
	credentials, err := openstack.FromEnv(func(name string) string { return env[name] })
	if err != nil {
		return nil, err
	}
	return openstack.Connect(ctx, credentials, openstack.Config{SecretRoles: []string{"admin", "creator"}}, openstack.WithTransport(over), openstack.InTurn())
}

// AskCinder sends a request to Cinder as a user (password "secret") with a token for a project. It returns the status, or 0 if
// the cloud dropped the connection.
func AskCinder(ctx context.Context, cloud *cloudsim.Cloud, user, projectID, method, path, body string) int {
	login := fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%q,"domain":{"id":"default"},"password":"secret"}}},
		"scope":{"project":{"id":%q}}}}`, user, projectID)
	ask := func(method, path, body string, header http.Header) (status int, received http.Header) {
		r := httptest.NewRequestWithContext(ctx, method, address+path, http.NoBody)
		maps.Copy(r.Header, header)
		resp, err := Transport{cloud}.Send(r, []byte(body))
		if err != nil {
			return 0, nil
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header
	}
	_, received := ask(http.MethodPost, "/identity/v3/auth/tokens", login, nil)
	status, _ := ask(method, "/volume/v3/"+projectID+path, body, http.Header{
		"X-Auth-Token": {received.Get("X-Subject-Token")}, "OpenStack-API-Version": {"volume 3.70"},
	})
	return status
}
