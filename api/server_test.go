package api

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

// openSlowClients opens n connections that send the text sent and then nothing, and keeps them open until the test ends.
func openSlowClients(t *testing.T, address string, n int, sent string) {
	t.Helper()
	for range n {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = io.WriteString(conn, sent) // the server may have closed it already
	}
}

func TestCheck_RespondsAmongTenThousandSlowClients(t *testing.T) {
	k := runCheck(t, Config{})
	address := strings.TrimPrefix(k.url, "http://")
	const header = "POST /v1/backup?backup_id=" + unknown + " HTTP/1.1\r\nHost: h\r\n"
	body := header + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ntarget="
	var alone, slow []time.Duration
	measured := func(took []time.Duration) []time.Duration {
		for range 5 {
			for _, id := range []string{unknown, recorded(backup.Available)} {
				k.client.CloseIdleConnections() // like Cinder, which opens a connection for each request
				watch := telemetry.Stopwatch()
				_, reply := k.ask(t, id, "", "")
				took = append(took, watch())
				require.Equal(t, id == unknown, reply == "True")
			}
		}
		return took
	}
	for range 10 {
		alone = measured(alone)
	}
	for range 10 {
		openSlowClients(t, address, 400, "")
		openSlowClients(t, address, 300, header)
		openSlowClients(t, address, 300, body)
		slow = measured(slow)
	}
	slices.Sort(alone)
	slices.Sort(slow)
	t.Logf("a response took %s alone and %s among slow clients (medians of 100), %s and %s at most", alone[50], slow[50], alone[99], slow[99])
	_, metrics := k.do(t, http.MethodGet, "/metrics", "", nil)
	require.NotContains(t, metrics, `staffeln_api_rejected_total{reason="checks"}`)
}

func TestConnLimiter_ClosesLongestWaitingConnection(t *testing.T) {
	rejected := 0
	w := newConnLimiter(2, func() { rejected++ })
	var conns []net.Conn
	closed := map[net.Conn]*atomic.Bool{}
	for range 5 {
		here, there := net.Pipe()
		conns, closed[here] = append(conns, here), new(atomic.Bool)
		t.Cleanup(func() { _ = there.Close(); _ = here.Close() })
	}
	isClosed := func(c net.Conn) bool { return c.SetDeadline(time.Time{}) != nil }
	w.connState(conns[0], http.StateNew)
	w.connState(conns[0], http.StateActive)
	w.remove(conns[0]) // its request was read completely
	for _, c := range conns[1:] {
		w.connState(c, http.StateNew)
	}
	require.Equal(t, 2, rejected)
	for i, gone := range []bool{false, true, true, false, false} {
		require.Equal(t, gone, isClosed(conns[i]), i)
	}
	w.connState(conns[3], http.StateIdle)
	w.connState(conns[0], http.StateIdle)
	require.True(t, isClosed(conns[3]), "it has waited longest")
	w.connState(conns[4], http.StateClosed)
	w.connState(conns[0], http.StateClosed)
	require.Zero(t, w.waiting.Len())
}

// signed is a certificate that a CA signed, or a CA.
type signed struct {
	TLS

	pair tls.Certificate
	key  *ecdsa.PrivateKey
}

func sign(t *testing.T, folder, name string, by *signed) *signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	of := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		Subject: pkix.Name{CommonName: name}, IsCA: by == nil, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	s := &signed{TLS: TLS{CertFile: filepath.Join(folder, name+".crt"), KeyFile: filepath.Join(folder, name+".key")}, key: key}
	parent, parentKey := of, key
	if by != nil {
		parent, parentKey = by.pair.Leaf, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, of, parent, &key.PublicKey, parentKey)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	crt, secret := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	require.NoError(t, os.WriteFile(s.CertFile, crt, 0o600))
	require.NoError(t, os.WriteFile(s.KeyFile, secret, 0o600))
	s.pair, err = tls.X509KeyPair(crt, secret)
	require.NoError(t, err)
	return s
}

// runSecured starts an API that requires a client certificate of a CA. The client of the returned value presents none.
func runSecured(t *testing.T, cfg Config) (*checked, *signed) {
	t.Helper()
	folder := t.TempDir()
	ca := sign(t, folder, "ca", nil)
	files := sign(t, folder, "api", ca).TLS
	files.ClientCAFile, files.ClientNames = ca.CertFile, cfg.TLS.ClientNames
	cfg.TLS = files
	k := runCheck(t, cfg)
	k.client = k.with(t)
	return k, ca
}

// with returns a client that presents the certificates and trusts every server.
func (k *checked) with(t *testing.T, certificates ...tls.Certificate) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if len(certificates) == 0 {
				return &tls.Certificate{}, nil
			}
			return &certificates[0], nil
		},
	}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func TestRun_RemovedCAInvalidatesItsCertificatesAtOnce(t *testing.T) {
	k, ca := runSecured(t, Config{})
	k.client = k.with(t, sign(t, t.TempDir(), "cinder", ca).pair)
	k.asksAs(t, unknown, alice, "True")
	other, err := os.ReadFile(sign(t, t.TempDir(), "another", nil).CertFile)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(ca.CertFile, append(other, "\n# and no other\n"...), 0o600))
	got, _ := k.ask(t, unknown, "", "") // over the existing connection
	require.Equal(t, http.StatusForbidden, got.StatusCode)
}

func TestRun_ServesMetricsOnOwnAddress(t *testing.T) {
	var addresses []net.Addr
	k := runCheck(t, Config{CheckListen: "127.0.0.1:0", MetricsListen: "127.0.0.1:0"}, func(d *Deps) {
		listening := d.Listening
		d.Listening = func(a net.Addr) {
			if addresses = append(addresses, a); len(addresses) == 3 {
				listening(addresses[0])
			}
		}
	})
	for i, paths := range []map[string]int{
		{"/metrics": 404, "/readyz": 200, CheckPath: 404},
		{"/metrics": 404, "/readyz": 200, CheckPath: 405},
		{"/metrics": 200, "/readyz": 200, "/livez": 200, "/v1/health": 200, CheckPath: 404, "/queues": 404},
	} {
		k.url = "http://" + addresses[i].String()
		for path, status := range paths {
			got, _ := k.do(t, http.MethodGet, path, "", nil)
			require.Equal(t, status, got.StatusCode, "%d %s", i, path)
		}
	}
	require.ErrorIs(t, Run(t.Context(), Config{Listen: "127.0.0.1:0", MetricsListen: addresses[2].String()}, Deps{}), ErrMetricsListen)
	require.ErrorContains(t, Config{Listen: ":1", CheckListen: ":2", MetricsListen: ":2"}.Validate(), "METRICS_LISTEN: the same")
	require.ErrorContains(t, TLS{CertFile: "c", KeyFile: "k", ClientNames: []string{"n"}}.Validate(), "CLIENT_CA_FILE: empty")
}

func TestRun_OnlyDeleteCheckRequiresClientCertificate(t *testing.T) {
	folder := t.TempDir()
	ca, stranger := sign(t, folder, "ca", nil), sign(t, folder, "stranger", nil)
	files := sign(t, folder, "api", ca).TLS
	files.ClientCAFile = ca.CertFile
	k := runCheck(t, Config{TLS: files})
	pool := x509.NewCertPool()
	pool.AddCert(ca.pair.Leaf)
	with := func(certificates ...tls.Certificate) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certificates}}
		t.Cleanup(transport.CloseIdleConnections)
		k.client = &http.Client{Transport: transport}
	}
	with(sign(t, folder, "cinder", ca).pair)
	_, reply := k.ask(t, unknown, "", "")
	require.Equal(t, "True", reply)
	_, reply = k.ask(t, recorded(backup.Available), "", "")
	require.Equal(t, "False", reply)

	with()
	got, reply := k.ask(t, unknown, "", "")
	require.Equal(t, http.StatusForbidden, got.StatusCode)
	require.Contains(t, reply, "want a client certificate")
	got, reply = k.do(t, http.MethodGet, "/v1/health", "", nil)
	require.Equal(t, "True", reply)
	require.Equal(t, "max-age=31536000", got.Header.Get("Strict-Transport-Security"))

	with(sign(t, folder, "guest", stranger).pair)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, k.url+CheckPath+"?backup_id="+unknown, http.NoBody)
	require.NoError(t, err)
	response, err := k.client.Do(request) // a client may hold back a certificate of a CA that the server does not name
	if err == nil {
		require.Equal(t, http.StatusForbidden, response.StatusCode)
		require.NoError(t, response.Body.Close())
	}
	require.ErrorContains(t, TLS{ClientCAFile: "c"}.Validate(), "CERT_FILE: empty")
	require.ErrorContains(t, Run(t.Context(), Config{Listen: "127.0.0.1:0", TLS: TLS{CertFile: files.CertFile, KeyFile: files.KeyFile, ClientCAFile: files.KeyFile}}, Deps{}), "no certificate in")
}

func TestRun_ReloadsChangedCertificateIfUsable(t *testing.T) {
	folder := t.TempDir()
	files := sign(t, folder, "api", nil)
	r := run(t, Config{TLS: files.TLS})
	serves := func() string {
		dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "https://"))
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String() //nolint:forcetypeassert,errcheck // as the dialer promises
	}
	first := serves()
	second := sign(t, t.TempDir(), "api", nil)
	crt, err := os.ReadFile(second.CertFile)
	require.NoError(t, err)
	key, err := os.ReadFile(second.KeyFile)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(files.CertFile, crt, 0o600))
	require.Equal(t, first, serves(), "the key is still of the one before")
	require.Contains(t, r.log.String(), "not usable, the previous one is still used")
	require.NoError(t, os.WriteFile(files.KeyFile, key, 0o600))
	require.Equal(t, second.pair.Leaf.SerialNumber.String(), serves())
	require.NoError(t, os.Remove(files.CertFile))
	require.Equal(t, second.pair.Leaf.SerialNumber.String(), serves())
	_, metrics := r.do(t, http.MethodGet, "/metrics", "", nil)
	require.Regexp(t, `staffeln_api_certificate_expiry_timestamp_seconds [1-9]`, metrics)
}

func TestRun_ServesDeleteCheckOnOwnAddress(t *testing.T) {
	var addresses []net.Addr
	k := runCheck(t, Config{CheckListen: "127.0.0.1:0"}, func(d *Deps) {
		listening := d.Listening
		d.Listening = func(a net.Addr) {
			if addresses = append(addresses, a); len(addresses) == 2 {
				listening(addresses[0])
			}
		}
	})
	got, _ := k.ask(t, unknown, "", "")
	require.Equal(t, http.StatusNotFound, got.StatusCode)
	_, reply := k.do(t, http.MethodGet, "/v1/health", "", nil)
	require.Equal(t, "True", reply)

	k.url = "http://" + addresses[1].String()
	_, reply = k.ask(t, unknown, "", "")
	require.Equal(t, "True", reply)
	for path, status := range map[string]int{"/v1/health": 200, "/livez": 200, "/readyz": 200, "/metrics": 404, "/queues": 404, "/": 404} {
		got, _ := k.do(t, http.MethodGet, path, "", nil)
		require.Equal(t, status, got.StatusCode, path)
	}
	require.ErrorIs(t, Run(t.Context(), Config{Listen: "127.0.0.1:0", CheckListen: addresses[1].String()}, Deps{}), ErrCheckListen)
	require.ErrorContains(t, Config{Listen: ":1", CheckListen: ":1"}.Validate(), "CHECK_LISTEN: the same")
	require.ErrorContains(t, Config{RefusalBurst: -1}.Validate(), "REFUSAL_BURST: want 0")
}

func TestRun_ServesForDrainTimeAndIsNotReady(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ready := telemetry.NewReadiness(zerolog.Nop(), telemetry.NewMetrics())
	metrics := telemetry.NewMetrics()
	ping := func(context.Context) error { return nil }
	ended, at := make(chan error, 1), make(chan net.Addr, 1)
	go func() {
		ended <- Run(ctx, Config{Listen: "127.0.0.1:0", DrainTime: backup.Duration(2 * time.Second)},
			Deps{Ping: ping, Log: zerolog.Nop(), Metrics: metrics, Ready: ready, Listening: func(a net.Addr) { at <- a }})
	}()
	transport := new(http.Transport)
	r := &running{url: "http://" + (<-at).String(), client: &http.Client{Transport: transport}}
	cancel()
	testkit.Eventually(t, "it reports that it drains", time.Minute, func() bool {
		got, body := r.do(t, http.MethodGet, "/readyz", "", nil)
		return got.StatusCode == http.StatusServiceUnavailable && strings.Contains(body, "draining")
	})
	_, body := r.do(t, http.MethodGet, "/v1/health", "", nil)
	require.Equal(t, "True", body)
	transport.CloseIdleConnections()
	require.NoError(t, <-ended)
}
