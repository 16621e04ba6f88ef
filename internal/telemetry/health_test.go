package telemetry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	status, body, err := ask(t.Context(), url)
	require.NoError(t, err)
	return status, body
}

func ask(ctx context.Context, url string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	request.Close = true // no connection is kept for the next request
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), errors.Join(err, response.Body.Close())
}

func TestServer_ServesMetricsLivenessAndReadiness(t *testing.T) {
	defer goleak.VerifyNone(t)
	var out bytes.Buffer
	m := NewMetrics()
	ready := NewReadiness(zerolog.New(&out).Level(zerolog.InfoLevel), m)
	var fault error
	ready.Add("database", func(context.Context) error { return fault })
	ready.Add("redis", func(context.Context) error { return nil })
	m.Leads(3)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server, err := Listen(ctx, ServerConfig{MetricsListen: "127.0.0.1:0"}, m, ready)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() { ended <- server.Run(ctx) }()
	url := "http://" + server.Addr().String()

	status, body := get(t, url+"/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "staffeln_scheduler_term 3\n")
	status, body = get(t, url+"/livez")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "ok\n", body)
	status, body = get(t, url+"/readyz")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"ready":true,"not_ready":[]}`, body)

	fault = errors.New("ping database: connection refused by 10.0.0.7")
	for range 2 {
		status, body = get(t, url+"/readyz")
		require.Equal(t, http.StatusServiceUnavailable, status)
		require.JSONEq(t, `{"ready":false,"not_ready":["database"]}`, body)
		_, body = get(t, url+"/metrics")
		require.Contains(t, body, "staffeln_ready{check=\"database\"} 0\nstaffeln_ready{check=\"redis\"} 1\n")
	}
	fault = nil
	status, _ = get(t, url+"/readyz")
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `{"level":"warn","error":"ping database: connection refused by 10.0.0.7","check":"database","message":"not ready"}`,
		string(bytes.SplitAfter(out.Bytes(), []byte("\n"))[0]))
	require.Equal(t, 2, bytes.Count(out.Bytes(), []byte("\n")), "logged when it changes, not at each check")

	status, _ = get(t, url+"/")
	require.Equal(t, http.StatusNotFound, status)
	cancel()
	require.NoError(t, <-ended)
}

func TestListen_AddressInUseIsErrorBeforeAnythingRuns(t *testing.T) {
	server, err := Listen(t.Context(), ServerConfig{MetricsListen: "127.0.0.1:0"}, NewMetrics(), NewReadiness(zerolog.Nop(), NewMetrics()))
	require.NoError(t, err)
	_, err = Listen(t.Context(), ServerConfig{MetricsListen: server.Addr().String()}, NewMetrics(), NewReadiness(zerolog.Nop(), NewMetrics()))
	require.ErrorContains(t, err, "listen for metrics")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, server.Run(ctx))
}

func TestNewHTTPServer_HasAllTimeouts(t *testing.T) {
	s := NewHTTPServer(http.NotFoundHandler())
	for _, limit := range []time.Duration{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout, s.IdleTimeout} {
		require.Positive(t, limit)
	}
	require.Positive(t, s.MaxHeaderBytes)
}

func TestServeHTTP_LetsRequestInProgressFinish(t *testing.T) {
	defer goleak.VerifyNone(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	server := NewHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-goOn
		w.WriteHeader(http.StatusAccepted)
	}))
	listener, err := Listen(t.Context(), ServerConfig{MetricsListen: "127.0.0.1:0"}, NewMetrics(), NewReadiness(zerolog.Nop(), NewMetrics()))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- ServeHTTP(ctx, server, listener.listener) }()
	responded := make(chan int, 1)
	go func() {
		status, _, err := ask(t.Context(), "http://"+listener.Addr().String())
		if err != nil {
			t.Error(err)
		}
		responded <- status
	}()
	<-begun
	cancel()
	close(goOn)
	require.Equal(t, http.StatusAccepted, <-responded)
	require.NoError(t, <-ended)
}

func TestReadiness_EndedChecksAreNotReported(t *testing.T) {
	var out bytes.Buffer
	ready := NewReadiness(zerolog.New(&out), NewMetrics())
	begun, release := make(chan struct{}), make(chan struct{})
	ready.Add("database", func(context.Context) error {
		close(begun)
		<-release
		return errors.New("closed pool")
	})
	found := make(chan []string)
	go func() { found <- ready.NotReady(t.Context()) }()
	<-begun
	ready.End()
	close(release)
	<-found
	require.Empty(t, ready.NotReady(t.Context()))
	require.Empty(t, out.String(), "closing the pool is no fault of the database")
}
