package openstack

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// A service is an OpenStack service that we call.
type service int

const (
	keystone service = iota
	cinder
	nova
	barbican
)

// catalogServices are the services whose endpoints come from the catalog and without which nothing works. Keystone's is
// OS_AUTH_URL; Barbican may be missing.
var catalogServices = []service{cinder, nova}

func (v service) String() string { return [...]string{"Keystone", "Cinder", "Nova", "Barbican"}[v] }

// types returns the types of the service in a catalog, the usual one first. version is appended to a URL that has none.
func (v service) types() (types []string, version string) {
	switch v {
	case nova:
		return []string{"compute"}, "/v2.1"
	case barbican:
		return secretTypes, "/v1"
	case keystone, cinder:
	}
	return []string{"volumev3", "block-storage", "block-store", "volume"}, "/v3"
}

// notFound returns the fault name with which the service reports that it has no such object.
func (v service) notFound() string {
	if v == keystone {
		return "error"
	}
	return "itemNotFound"
}

// A fault is an error in a service's own format: `{"<name of the fault>": {"code": 404, "message": "..."}}`.
type fault struct {
	name, message string
}

// faultOf reads an error body. It returns false for the page of a proxy in front of the service, even if the page quotes the
// request.
func faultOf(status int, body []byte) (fault, bool) {
	var envelope map[string]json.RawMessage
	if json.Unmarshal(body, &envelope) != nil || len(envelope) != 1 {
		return fault{}, false
	}
	for name, inner := range envelope {
		var response struct {
			Code    int
			Message string
		}
		if json.Unmarshal(inner, &response) == nil && response.Code == status && response.Message != "" {
			return fault{name, response.Message}, true
		}
	}
	return fault{}, false
}

// confirmsMissing reports whether the service itself reports that it has no object with that ID. "Service cinder-backup could
// not be found." is a 404 too, and so is the page of a proxy that no longer knows where the service is: then the object
// still exists.
func (v service) confirmsMissing(status int, body []byte, id string) bool {
	if v == barbican {
		return id != "" && confirmsSecretMissing(status, body)
	}
	response, own := faultOf(status, body)
	return status == http.StatusNotFound && own && response.name == v.notFound() && id != "" &&
		strings.Contains(strings.ToLower(response.message), strings.ToLower(id))
}

// secretTypes are the types of Barbican in a catalog.
var secretTypes = []string{"key-manager"}

// hasSecrets reports whether the catalog has a Barbican, in any region.
func hasSecrets(catalog []tokens.CatalogEntry) bool {
	return slices.ContainsFunc(catalog, func(s tokens.CatalogEntry) bool { return slices.Contains(secretTypes, s.Type) })
}
