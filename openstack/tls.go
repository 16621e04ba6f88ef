package openstack

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"time"
)

// tls reads OS_CACERT, OS_CERT, OS_KEY and OS_INSECURE.
func (e *environment) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := e.getenv("OS_CACERT"); file != "" {
		pem, err := os.ReadFile(file)
		pool := x509.NewCertPool()
		if err != nil {
			e.fault("OS_CACERT: %w", err)
		} else if !pool.AppendCertsFromPEM(pem) {
			e.fault("OS_CACERT: %s: no certificate in it", file)
		}
		c.RootCAs = pool
	}
	cert, key := e.getenv("OS_CERT"), e.getenv("OS_KEY")
	switch {
	case cert != "" && key != "":
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			e.fault("OS_CERT and OS_KEY: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	case cert != "" || key != "":
		e.fault("OS_CERT and OS_KEY: only one of them is set: want both or none")
	}
	if insecure, ok := e.insecure(); ok {
		c.InsecureSkipVerify = insecure // the operator asked for it, by the name every OpenStack client has
	}
	return c
}

const (
	dialTimeout = 10 * time.Second
	idleConns   = 64 // kept to each host: as many as workers may ask at once
	idleTimeout = 60 * time.Second
)

// newTransport makes the transport that all our clients share. It obeys
// HTTPS_PROXY and NO_PROXY, as every OpenStack client does.
func newTransport(c *tls.Config) *http.Transport {
	if c != nil {
		c = c.Clone()
		c.MinVersion = max(c.MinVersion, tls.VersionTLS12)
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:       c,
		TLSHandshakeTimeout:   dialTimeout,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   idleConns,
		IdleConnTimeout:       idleTimeout,
		ExpectContinueTimeout: time.Second,
	}
}
