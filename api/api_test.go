package api

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is an API that is served over real HTTP until the test ends.
type running struct {
	url    string
	client *http.Client
	log    *lines
	down   func(error) // sets the result of the database ping
}

func run(t *testing.T, cfg Config, changes ...func(*Deps)) *running {
	t.Helper()
	var mu sync.Mutex
	var fault error
	r := &running{log: new(lines), down: func(err error) { mu.Lock(); defer mu.Unlock(); fault = err }}
	ping := func(context.Context) error { mu.Lock(); defer mu.Unlock(); return fault }
	log := zerolog.New(r.log)
	ready := telemetry.NewReadiness(log, telemetry.NewMetrics())
	ready.Add("database", ping)
	ctx, cancel := context.WithCancel(context.Background())
	addresses, ended := make(chan net.Addr, 1), make(chan error, 1)
	cfg.Listen = "127.0.0.1:0"
	d := Deps{Ping: ping, Log: log, Metrics: telemetry.NewMetrics(), Ready: ready, Listening: func(a net.Addr) { addresses <- a }}
	for _, change := range changes {
		change(&d)
	}
	go func() { ended <- Run(ctx, cfg, d) }()
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	r.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		require.NoError(t, <-ended)
	})
	select {
	case a := <-addresses:
		scheme := "http://"
		if cfg.TLS.CertFile != "" {
			scheme = "https://"
		}
		r.url = scheme + a.String()
	case err := <-ended:
		ended <- err
		require.NoError(t, err)
	}
	return r
}

func (r *running) do(t *testing.T, method, path, send string, header http.Header) (got httpResponse, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, r.url+path, strings.NewReader(send))
	require.NoError(t, err)
	if header != nil {
		request.Header = header
	}
	response, err := r.client.Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return httpResponse{response.StatusCode, response.Header, response.TLS != nil}, string(text)
}

// httpResponse is a response without its body.
type httpResponse struct {
	StatusCode int
	Header     http.Header
	TLS        bool
}

type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestRun_HealthIsTrueOnlyIfDatabaseIsReachable(t *testing.T) {
	r := run(t, Config{})
	got, body := r.do(t, http.MethodGet, "/v1/health", "", nil)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Equal(t, "True", body)
	require.Equal(t, "text/plain; charset=UTF-8", got.Header.Get("Content-Type"))
	_, body = r.do(t, http.MethodGet, "/readyz", "", nil)
	require.JSONEq(t, `{"ready":true,"not_ready":[]}`, body)

	r.down(errors.New("connection refused"))
	for _, path := range []string{"/v1/health", "/readyz"} {
		testkit.Eventually(t, "the response changes after the cache time", time.Minute, func() bool {
			got, body = r.do(t, http.MethodGet, path, "", nil)
			return got.StatusCode == http.StatusServiceUnavailable
		})
		require.NotContains(t, body, "True")
	}
	require.JSONEq(t, `{"ready":false,"not_ready":["database"]}`, body)
	got, _ = r.do(t, http.MethodGet, "/livez", "", nil)
	require.Equal(t, http.StatusOK, got.StatusCode, "an unreachable database restarts nothing")
	_, body = r.do(t, http.MethodGet, "/metrics", "", nil)
	require.Contains(t, body, "staffeln_leases_refused_total 0\n")
}

func TestRun_EveryResponseHasRequestIDAndErrorsHaveOneFormat(t *testing.T) {
	r := run(t, Config{})
	got, body := r.do(t, http.MethodGet, "/nowhere", "", http.Header{"X-Request-Id": {"mine-1"}})
	require.Equal(t, http.StatusNotFound, got.StatusCode)
	require.Equal(t, "mine-1", got.Header.Get("X-Request-Id"))
	require.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
	require.JSONEq(t, `{"title":"Not Found","status":404,"detail":"there is nothing at this path","request_id":"mine-1"}`, body)
	require.Contains(t, r.log.String(), `"request_id":"mine-1"`)
	require.Contains(t, r.log.String(), `"path":"/nowhere","status":404`)

	got, _ = r.do(t, http.MethodPost, "/v1/health", "", http.Header{"X-Request-Id": {strings.Repeat("x", 65)}})
	require.Equal(t, http.StatusMethodNotAllowed, got.StatusCode)
	require.Regexp(t, `^req-[0-9a-f]{24}$`, got.Header.Get("X-Request-Id"))

	got, _ = r.do(t, http.MethodGet, "/v1/health", strings.Repeat("x", 65<<10), nil)
	require.Equal(t, http.StatusRequestEntityTooLarge, got.StatusCode)
}

func TestRecovered_PanicFailsOnlyItsRequest(t *testing.T) {
	log := new(lines)
	e := echo.New()
	e.HTTPErrorHandler = errorHandler(nil)
	e.Use(requestID, accessLog(zerolog.New(log), telemetry.NewMetrics()), recovered())
	e.GET("/", func(echo.Context) error { panic("out of range") })
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- telemetry.ServeHTTP(ctx, telemetry.NewHTTPServer(e), listener) }()
	transport := new(http.Transport)
	r := &running{url: "http://" + listener.Addr().String(), client: &http.Client{Transport: transport}}
	got, body := r.do(t, http.MethodGet, "/", "", http.Header{"X-Request-Id": {"p"}})
	require.Equal(t, http.StatusInternalServerError, got.StatusCode)
	require.JSONEq(t, `{"title":"Internal Server Error","status":500,"detail":"Staffeln cannot serve this request now: search its log for the request ID","request_id":"p"}`, body, "the cause is only in the log")
	require.Contains(t, log.String(), "out of range")
	require.Contains(t, log.String(), "api_test.go")
	transport.CloseIdleConnections()
	cancel()
	require.NoError(t, <-ended)
}

func TestRun_ServesTLS(t *testing.T) {
	r := run(t, Config{TLS: certificate(t)})
	got, body := r.do(t, http.MethodGet, "/v1/health", "", nil)
	require.Equal(t, "True", body)
	require.True(t, got.TLS)
}

func TestRun_UnusableCertificateOrAddressIsErrorAtStart(t *testing.T) {
	files := certificate(t)
	files.KeyFile = files.CertFile
	require.ErrorContains(t, Run(t.Context(), Config{Listen: "127.0.0.1:0", TLS: files}, Deps{}), "read certificate of the API")
	require.ErrorContains(t, Run(t.Context(), Config{Listen: "127.0.0.1:port"}, Deps{}), "listen for the API")
	require.ErrorContains(t, TLS{CertFile: "c"}.Validate(), "KEY_FILE: empty")
	require.ErrorContains(t, TLS{KeyFile: "k"}.Validate(), "CERT_FILE: empty")
	require.NoError(t, TLS{}.Validate())
}

// certificate writes a self-signed certificate and its key.
func certificate(t *testing.T) TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	files := TLS{CertFile: filepath.Join(t.TempDir(), "cert.pem"), KeyFile: filepath.Join(t.TempDir(), "key.pem")}
	require.NoError(t, os.WriteFile(files.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(files.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return files
}
