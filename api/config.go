package api

import (
	"crypto/tls"
	"errors"
	"fmt"
	"unicode/utf8"

	"staffeln/api/window"
)

// leastToken is how many characters the token of the page of the queues has at least: it is all that guards the page.
const leastToken = 16

// Config says where the API listens. It is the field API of a process's struct, so that its variables begin with API_.
type Config struct {
	Listen string `split_words:"true" default:"0.0.0.0:8808" desc:"Address and port of the HTTP API, with /v1/health, /livez, /readyz and /metrics."`
	TLS    TLS

	window.Config

	RateLimit int `split_words:"true" default:"20" desc:"Requests a second that one client (an address; of IPv6, its /64 network) may send, in bursts of five times as many; what is more is answered 429. It never holds for health, metrics and the delete check. 0 = no limit."`

	QueuesToken string `split_words:"true" secret:"true" desc:"Who knows it sees the page of the queues (asynqmon, read-only) at /queues: as the password of any user, or as a bearer token. At least 16 characters; empty = there is no such page. The page needs STAFFELN_REDIS_URL. By plain HTTP the token can be read on its way: serve the API by TLS, or keep it inside."`
}

// Validate tells a token that can be guessed.
func (c Config) Validate() error {
	if c.RateLimit < 0 {
		return errors.New("RATE_LIMIT: want 0 (no limit) or more")
	}
	if c.QueuesToken != "" && utf8.RuneCountInString(c.QueuesToken) < leastToken {
		return fmt.Errorf("QUEUES_TOKEN: too short: want at least %d characters, such as `openssl rand -hex 24` prints", leastToken)
	}
	return nil
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
