package openstack

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"staffeln/internal/keyfile"
)

// tls reads OS_CACERT, OS_CERT, OS_KEY and OS_INSECURE.
func (e *environment) tls() *tls.Config {
	c, err := keyfile.ClientTLS(e.getenv("OS_CACERT"))
	if err != nil {
		e.fault("OS_CACERT: %w", err)
		c = new(tls.Config) // for the checks that follow; it is not used
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
		c.InsecureSkipVerify = insecure // the operator asked for it, with the variable that every OpenStack client has
	}
	return c
}

const (
	dialTimeout = 10 * time.Second
	idleConns   = 64 // kept to each host: as many as workers may call at once
	idleTimeout = 60 * time.Second
)

// newTransport makes the transport that all our clients share. It obeys HTTPS_PROXY and NO_PROXY, as every OpenStack client
// does.
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
