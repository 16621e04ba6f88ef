package api

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// Config says where the API listens. It is the field API of a process's struct, so that its variables begin with API_.
type Config struct {
	Listen string `split_words:"true" default:"0.0.0.0:8808" desc:"Address and port of the HTTP API, with /v1/health, /livez, /readyz and /metrics."`
	TLS    TLS
}

// TLS says by which certificate the API is served; both files or none.
type TLS struct {
	CertFile string `split_words:"true" desc:"File with the certificate of the API and its chain, PEM; empty = plain HTTP. It is read at start."`
	KeyFile  string `split_words:"true" desc:"File with the certificate's key, PEM."`
}

// Validate tells a certificate without a key, and the reverse.
func (t TLS) Validate() error {
	switch {
	case t.CertFile == "" && t.KeyFile != "":
		return errors.New("CERT_FILE: empty: want one, since the key's file is given")
	case t.CertFile != "" && t.KeyFile == "":
		return errors.New("KEY_FILE: empty: want one, since the certificate's file is given")
	}
	return nil
}

// config answers nil for plain HTTP.
func (t TLS) config() (*tls.Config, error) {
	if t.CertFile == "" {
		return nil, nil //nolint:nilnil // no TLS is not a fault
	}
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("read certificate of the API: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}
