package api

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// Judgements on callers that are rejected because of their client certificate.
const (
	noCertificate = "no_certificate" // no certificate of a CA that is trusted now
	otherName     = "other_name"     // a certificate without an accepted name
)

var (
	errNoCertificate = echo.NewHTTPError(http.StatusForbidden, "want a client certificate")
	errOtherName     = echo.NewHTTPError(http.StatusForbidden, "the client certificate has no name that may ask")
)

// callers decides which clients may use the delete check.
type callers struct {
	certificates *certificates // nil: no TLS
	required     bool
	names        []string // accepted names; empty: every certificate of the CA is accepted
}

// verify reports whether the caller presented the required client certificate. If it is required and missing, verify returns
// the judgement and the response.
func (k callers) verify(state *tls.ConnectionState) (verified bool, judgement string, err error) {
	switch {
	case !k.required:
		return false, "", nil
	case state == nil || len(state.VerifiedChains) == 0 || !k.certificates.trusts(state.VerifiedChains):
		return false, noCertificate, errNoCertificate
	case len(k.names) > 0 && !named(state.VerifiedChains[0][0], k.names):
		return false, otherName, errOtherName
	}
	return true, "", nil
}

// named reports whether the certificate has one of the names, as DNS name, URI or common name. There are no wildcards.
func named(certificate *x509.Certificate, names []string) bool {
	has := slices.Clone(certificate.DNSNames)
	for _, uri := range certificate.URIs {
		has = append(has, uri.String())
	}
	if certificate.Subject.CommonName != "" {
		has = append(has, certificate.Subject.CommonName)
	}
	return slices.ContainsFunc(has, func(name string) bool {
		return slices.ContainsFunc(names, func(want string) bool { return strings.EqualFold(want, name) })
	})
}
