package api

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// Verdicts on who is not answered, because of his certificate.
const (
	noCertificate = "no_certificate" // none of an authority that is trusted now
	otherName     = "other_name"     // none of a name that may ask
)

var (
	errNoCertificate = echo.NewHTTPError(http.StatusForbidden, "want a client certificate")
	errOtherName     = echo.NewHTTPError(http.StatusForbidden, "the client certificate has no name that may ask")
)

// callers decides who may ask.
type callers struct {
	certificates *certificates // nil: no TLS
	demanded     bool
	names        []string // of which a certificate has one; none: all certificates of the authority will do
}

// verify reports whether the caller presented the certificate that is demanded. Where it is and he did not, it returns the verdict
// and the answer.
func (k callers) verify(state *tls.ConnectionState) (verified bool, verdict string, err error) {
	switch {
	case !k.demanded:
		return false, "", nil
	case state == nil || len(state.VerifiedChains) == 0 || !k.certificates.trusts(state.VerifiedChains):
		return false, noCertificate, errNoCertificate
	case len(k.names) > 0 && !named(state.VerifiedChains[0][0], k.names):
		return false, otherName, errOtherName
	}
	return true, "", nil
}

// named reports whether a certificate has one of the names: as DNS name, as URI or as common name; no wildcards.
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
