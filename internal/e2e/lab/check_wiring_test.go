//go:build openstack

package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/e2e/rig"
)

// rule writes who may delete backups into Cinder's policy, which Cinder reloads at once. The end of the test restores the
// policy.
func (c *labCheck) rule(tenants string, args ...any) {
	c.t.Helper()
	line := fmt.Sprintf(`"backup:delete": "rule:admin_api or (%s)"`, fmt.Sprintf(tenants, args...))
	c.replace(filepath.Join(c.home, "etc", "cinder-policy.yaml"), line+"\n")
	c.t.Log(line)
}

// replace writes a file of the laboratory. The end of the test restores the file.
func (c *labCheck) replace(file, text string) (back func()) {
	c.t.Helper()
	before, err := os.ReadFile(file)
	there := err == nil
	if !there {
		require.ErrorIs(c.t, err, fs.ErrNotExist)
	}
	require.NoError(c.t, os.WriteFile(file, []byte(text), 0o644)) // cinder-api runs as another user
	back = func() {
		var err error
		if there {
			err = os.WriteFile(file, before, 0o644)
		} else if err = os.Remove(file); os.IsNotExist(err) {
			err = nil
		}
		if err != nil {
			c.t.Errorf("put back %s: %v", file, err)
		}
	}
	c.t.Cleanup(back)
	return back
}

// serve starts an api, or replaces the running one, and waits until it is ready.
func (c *labCheck) serve(scheme string) {
	c.t.Helper()
	if c.api != nil {
		c.api.Stop()
	}
	c.api = rig.Launch(c.t, c.env, "api")
	c.eventuallyReady(scheme, c.env["STAFFELN_API_LISTEN"])
}

func (c *labCheck) eventuallyReady(scheme, address string) {
	c.t.Helper()
	c.until("the api is ready", time.Minute, func() bool {
		return exec.CommandContext(c.ctx(), "curl", "-ksf", "-o", "/dev/null", scheme+"://"+address+"/readyz").Run() == nil
	})
}

// checkTLS uses the check with TLS: both Cinder and the api verify the other's certificate.
func (c *labCheck) checkTLS() {
	c.t.Helper()
	address := c.env["STAFFELN_API_LISTEN"]
	host, _, err := net.SplitHostPort(address)
	require.NoError(c.t, err)
	keys := c.authority(net.ParseIP(host))
	for name, file := range map[string]string{"TLS_CERT_FILE": "api.crt", "TLS_KEY_FILE": "api.key", "TLS_CLIENT_CA_FILE": "ca.crt"} {
		c.env["STAFFELN_API_"+name] = filepath.Join(keys, file)
	}
	c.serve("https")
	c.rule("project_id:%%(project_id)s and https://%s/v1/backup?backup_id=%%(id)s", address)
	back := c.replace(filepath.Join(c.home, "etc", "cinder-local.conf"), "[oslo_policy]\nremote_ssl_verify_server_crt = True\n"+
		"remote_ssl_ca_crt_file = "+keys+"/ca.crt\nremote_ssl_client_crt_file = "+keys+"/cinder.crt\nremote_ssl_client_key_file = "+keys+"/cinder.key\n")
	c.t.Cleanup(func() { back(); c.restartDaemon("cinder-api") })
	c.restartDaemon("cinder-api")
	for client, server := range map[*labClient]*labServer{c.alice: c.one, c.bob: c.two} {
		require.Equal(c.t, "403", c.deleteBackup(client, c.newest(server)), "a tenant, of an automated backup, by TLS")
		require.Equal(c.t, "202", c.deleteBackup(client, c.mine[client]), "a tenant, of its own backup, by TLS")
	}
	output, err := exec.CommandContext(c.ctx(), "curl", "-ksS", "-X", "POST", "https://"+address+"/v1/backup?backup_id="+c.newest(c.one)).Output()
	require.NoError(c.t, err)
	require.Contains(c.t, string(output), "want a client certificate")
}

// authority creates certificates for the api's address and for Cinder, in a folder that Cinder can read.
func (c *labCheck) authority(address net.IP) (folder string) {
	c.t.Helper()
	folder, err := os.MkdirTemp("", "staffeln-check-")
	require.NoError(c.t, err)
	c.t.Cleanup(func() { _ = os.RemoveAll(folder) })
	require.NoError(c.t, os.Chmod(folder, 0o755))
	end := time.Now().Add(time.Hour)
	// Newer clients reject certificates of a CA without key identifiers.
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: end, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, SubjectKeyId: []byte("test authority"),
	}
	caKey := c.write(folder, "ca", ca, ca, nil)
	c.write(folder, "api", &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: end, IPAddresses: []net.IP{address}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca, caKey)
	c.write(folder, "cinder", &x509.Certificate{SerialNumber: big.NewInt(3), NotAfter: end, Subject: pkix.Name{CommonName: "cinder"}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, ca, caKey)
	return folder
}

func (c *labCheck) write(folder, name string, of, by *x509.Certificate, byKey *ecdsa.PrivateKey) *ecdsa.PrivateKey {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(c.t, err)
	if byKey == nil {
		byKey = key
	}
	der, err := x509.CreateCertificate(rand.Reader, of, by, &key.PublicKey, byKey)
	require.NoError(c.t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(c.t, err)
	for file, block := range map[string]*pem.Block{name + ".crt": {Type: "CERTIFICATE", Bytes: der}, name + ".key": {Type: "PRIVATE KEY", Bytes: secret}} {
		require.NoError(c.t, os.WriteFile(filepath.Join(folder, file), pem.EncodeToMemory(block), 0o644))
	}
	return key
}
