// Package keyfile reads what an operator keeps in files of its own: secrets, and the certificates of CAs.
//
// A secret or certificate may be replaced while a process runs, so whoever uses one reads it again when it is needed next.
package keyfile

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
)

// Secret returns the content of a file without the newlines that editors add at its end.
func Secret(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// CAs returns the certificates of a PEM file; one without any is an error. Like crypto/x509 it skips what is no certificate.
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

// Pool returns the pool of these certificates.
func Pool(cas []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, ca := range cas {
		pool.AddCert(ca)
	}
	return pool
}

// ClientTLS returns the configuration of a TLS client that trusts the CAs of a file; where it is empty, those of the system.
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
