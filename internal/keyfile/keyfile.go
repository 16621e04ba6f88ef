// Package keyfile reads secrets and CA certificates from files.
//
// A file may be replaced while a process runs, so callers read it again each time they need it.
package keyfile

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

// Secret returns the content of a file without the newlines at its end, which editors add.
func Secret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// CAs returns the certificates of a PEM file. It is an error if there are none. Like crypto/x509, it skips other blocks and
// invalid certificates.
func CAs(file string) (all []*x509.Certificate, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, certificate)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no certificate in it", file)
	}
	return all, nil
}

// Pool returns a pool of the certificates.
func Pool(cas []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, ca := range cas {
		pool.AddCert(ca)
	}
	return pool
}

// ClientTLS returns the TLS configuration of a client that trusts the CAs of a file, or those of the system if caFile is "".
func ClientTLS(caFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return config, nil
	}
	cas, err := CAs(caFile)
	if err != nil {
		return nil, err
	}
	config.RootCAs = Pool(cas)
	return config, nil
}
