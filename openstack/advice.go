package openstack

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"staffeln/backup"
)

// withAdvice adds to an error of Connect what the operator can do about it.
func (c Credentials) withAdvice(err error) error {
	var fault *backup.CloudError
	if err == nil || !errors.As(err, &fault) {
		return err
	}
	if notKeystone(fault) {
		fault.Message = "not a response from Keystone" // instead of a page of HTML
	}
	return fmt.Errorf("connect to cloud %s: %w: %s", c.address(), err, advice(fault))
}

// address returns Keystone's URL without a password.
func (c Credentials) address() string {
	u, err := url.Parse(c.authURL)
	if err != nil {
		return "" // FromEnv rejects such a URL
	}
	return u.Redacted()
}

func advice(fault *backup.CloudError) string {
	var expired x509.CertificateInvalidError
	switch {
	case errors.As(fault.Err, &expired) && expired.Reason == x509.Expired:
		return "renew the certificate of the cloud, or set the clock of this machine"
	case errors.As(fault.Err, new(x509.UnknownAuthorityError)):
		return "name the file with the cloud's CA in OS_CACERT"
	case errors.As(fault.Err, new(x509.HostnameError)):
		return "name the cloud in OS_AUTH_URL as its certificate does"
	case errors.As(fault.Err, new(*tls.CertificateVerificationError)):
		return "check the certificate of the cloud, or OS_CACERT"
	case notKeystone(fault):
		return "name Keystone in OS_AUTH_URL, as the openrc of the cloud does"
	case fault.Op != opAuthenticate:
		return "check the service's endpoint in the catalog, or choose another with OS_INTERFACE or OS_REGION_NAME"
	case fault.Meaning == backup.MeansUnauthorised:
		return "check OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME or their domains; the user needs a role in the project"
	case fault.Meaning == backup.MeansRefused && fault.Status == 0:
		return "check OS_REGION_NAME, OS_INTERFACE or the catalog" // we rejected a token that Keystone issued
	case fault.Status >= http.StatusInternalServerError:
		return "read Keystone's log"
	}
	return "start Keystone there, or check OS_AUTH_URL or the way to it (proxy, firewall)"
}

// misconfigured reports whether waiting can't fix the error of the very first request. Nothing has ever worked with these
// credentials, so they are wrong; the cloud is not just starting. Later, every such error is retried.
func misconfigured(fault *backup.CloudError) bool {
	return notKeystone(fault) || errors.As(fault.Err, new(*tls.CertificateVerificationError)) || errors.As(fault.Err, new(tls.RecordHeaderError))
}

// notKeystone reports whether Keystone never responds to a token request like this: with a redirect, an HTML page, or an error
// about a missing route.
func notKeystone(fault *backup.CloudError) bool {
	unknownRoute := []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}
	return fault.Op == opAuthenticate && fault.Status != 0 && (fault.Status < http.StatusBadRequest || slices.Contains(unknownRoute, fault.Status))
}
