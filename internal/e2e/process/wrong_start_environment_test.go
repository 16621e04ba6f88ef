package process

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/testkit"
	"staffeln/internal/testkit/private"
)

// secretPassword is a password that must not be in any output.
const secretPassword = "S3cr3tOfOurs"

// wrongPasswordURL returns the URL, with a wrong password, of a Postgres that requires one.
func wrongPasswordURL(t *testing.T) string {
	t.Helper()
	server, err := private.StartPostgres(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	conn, err := pgx.Connect(t.Context(), server.URL)
	require.NoError(t, err)
	var rules string
	require.NoError(t, conn.QueryRow(t.Context(), "SHOW hba_file").Scan(&rules))
	for _, q := range []string{
		"CREATE ROLE tenant LOGIN PASSWORD 'another'",
		"COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO '" + rules + "'",
		"SELECT pg_reload_conf()",
	} {
		_, err := conn.Exec(t.Context(), q)
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close(t.Context()))
	parsed, err := url.Parse(server.URL)
	require.NoError(t, err)
	parsed.User = url.UserPassword("tenant", secretPassword)
	testkit.Eventually(t, "the server requires passwords", time.Minute, func() bool {
		conn, err := pgx.Connect(t.Context(), parsed.String())
		if err == nil {
			_ = conn.Close(t.Context()) // the new rules are not in force yet
		}
		return err != nil && strings.Contains(err.Error(), "password authentication failed")
	})
	return parsed.String()
}

// webPage returns the URL of a web page, such as a login or a dashboard, that is configured as Keystone's.
func webPage(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<!doctype html>\n<html><title>Dashboard</title></html>\n")) // the client is our own process
	}))
	t.Cleanup(server.Close)
	return server.URL + "/identity/v3"
}

// cloudsYAML returns a file with one cloud named earth.
func cloudsYAML(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clouds.yaml")
	text := "clouds:\n  earth:\n    auth: {auth_url: https://earth.example.org/v3, username: staffeln, password: " + secretPassword + ", project_name: admin}\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// expiredCertificate serves the cloud with a certificate that expired yesterday, and returns the variables for it. The
// certificate is its own, trusted CA, so nothing else is wrong with it.
func expiredCertificate(t *testing.T, sim *cloudsim.Cloud) map[string]string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	yesterday := time.Now().AddDate(0, 0, -1)
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: yesterday.AddDate(-1, 0, 0), NotAfter: yesterday,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(sim)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return map[string]string{"OS_AUTH_URL": sim.OpenRC(server.URL)["OS_AUTH_URL"], "OS_CACERT": file}
}
