package api

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"staffeln/internal/keyfile"
	"staffeln/internal/telemetry"
)

// TLS is the server certificate of the API, and the client certificates it accepts. CertFile and KeyFile are set together or
// not at all.
type TLS struct {
	CertFile     string   `split_words:"true" desc:"PEM file with the certificate of the API and its chain; empty = plain HTTP. This file, the key file and the CA file are read again when they change."`
	KeyFile      string   `split_words:"true" desc:"PEM file with the certificate's key."`
	ClientCAFile string   `split_words:"true" desc:"PEM file with the CAs for client certificates. If set, the delete check requires a client certificate (mTLS), which Cinder presents (docs/cinder.md); empty = not required. Health, pages and the other routes never require one."`
	ClientNames  []string `split_words:"true" desc:"Allowed names of the client certificate (DNS name, URI or common name, case-insensitive), so that no other certificate of the same CA can use the delete check; empty = every certificate of the CA can."`
}

// Validate rejects combinations of which a part is missing.
func (t TLS) Validate() error {
	switch {
	case t.CertFile == "" && t.KeyFile != "":
		return errors.New("CERT_FILE: empty: want one, since the key's file is given")
	case t.CertFile != "" && t.KeyFile == "":
		return errors.New("KEY_FILE: empty: want one, since the certificate's file is given")
	case t.CertFile == "" && t.ClientCAFile != "":
		return errors.New("CERT_FILE: empty: want one, since client certificates are asked for")
	case len(t.ClientNames) > 0 && t.ClientCAFile == "":
		return errors.New("CLIENT_CA_FILE: empty: want one, since client certificates of some names are asked for")
	case slices.Contains(t.ClientNames, ""):
		return errors.New("CLIENT_NAMES: one is empty: want names with commas between them")
	}
	return nil
}

// certificates serves the newest content of the files. While that is not usable (it may be half written), the previous
// certificate is still used.
type certificates struct {
	files   TLS
	log     zerolog.Logger
	metrics *telemetry.Metrics

	mu   sync.Mutex
	seen [3]stamp // of the files when they were last read
	now  *tls.Config
	cas  []*x509.Certificate // CAs of the client certificates
}

// stamp identifies one version of a file's content.
type stamp struct {
	changed time.Time
	size    int64
}

// open returns nil for plain HTTP. A file that cannot be read is an error here; later it is only logged.
func (t TLS) open(log zerolog.Logger, metrics *telemetry.Metrics) (*certificates, error) {
	if t.CertFile == "" {
		return nil, nil //nolint:nilnil // no TLS is not an error
	}
	c := &certificates{files: t, log: log, metrics: metrics}
	c.seen = c.stamps()
	var err error
	if c.now, err = c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificates) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.newest(), nil }}
}

// trusts reports whether one of the chains, which were verified when the connection began, still ends in a CA of the file, and
// its client certificate has not expired since.
func (c *certificates) trusts(chains [][]*x509.Certificate) bool {
	c.newest()
	c.mu.Lock()
	cas := c.cas
	c.mu.Unlock()
	return slices.ContainsFunc(chains, func(chain []*x509.Certificate) bool {
		root := chain[len(chain)-1]
		ends := time.Until(chain[0].NotAfter) //nolint:forbidigo // by this machine's clock, as crypto/tls when the connection began
		return ends > 0 && slices.ContainsFunc(cas, root.Equal)
	})
}

// newest checks the files at every handshake. That costs far less than the handshake.
func (c *certificates) newest() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	stamps := c.stamps()
	if stamps == c.seen {
		return c.now
	}
	c.seen = stamps
	read, err := c.read()
	if err != nil {
		c.log.Error().Err(err).Msg("changed API certificate not usable, the previous one is still used")
		return c.now
	}
	c.now = read
	c.log.Info().Msg("API certificate reloaded")
	return c.now
}

func (c *certificates) stamps() (all [3]stamp) {
	for i, file := range []string{c.files.CertFile, c.files.KeyFile, c.files.ClientCAFile} {
		if file == "" {
			continue
		}
		if info, err := os.Stat(file); err == nil {
			all[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return all
}

func (c *certificates) read() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.files.CertFile, c.files.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate of the API: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	if c.files.ClientCAFile != "" {
		cas, err := keyfile.CAs(c.files.ClientCAFile)
		if err != nil {
			return nil, fmt.Errorf("read authorities of client certificates: %w", err)
		}
		config.ClientCAs = keyfile.Pool(cas)
		config.ClientAuth = tls.VerifyClientCertIfGiven
		config.SessionTicketsDisabled = true // a resumed session would skip the check against the CAs
		c.cas = cas
	}
	if c.metrics != nil && pair.Leaf != nil {
		c.metrics.SetCertificateExpiry(pair.Leaf.NotAfter)
	}
	return config, nil
}
