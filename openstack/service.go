package openstack

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

// A service is one of OpenStack's that we ask.
type service int

const (
	keystone service = iota
	cinder
	nova
	barbican
)

// moving are the services whose place the catalog says, and without which nothing
// works. Keystone's is OS_AUTH_URL; Barbican's may be missing.
var moving = []service{cinder, nova}

func (v service) String() string { return [...]string{"Keystone", "Cinder", "Nova", "Barbican"}[v] }

// types are those under which a catalog names the service, the usual one first;
// version is what its URLs end with where they name none.
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

// notFound is how the service calls its answer that it has no such object.
func (v service) notFound() string {
	if v == keystone {
		return "error"
	}
	return "itemNotFound"
}

// A saying is a refusal in the words of a service: `{"<name of the fault>": {"code": 404, "message": "..."}}`.
type fault struct {
	name, message string
}

// faultOf reads a refusal. It reports false for what stands in front of a
// service: a proxy's page, whatever it quotes of the request.
func faultOf(status int, body []byte) (fault, bool) {
	var envelope map[string]json.RawMessage
	if json.Unmarshal(body, &envelope) != nil || len(envelope) != 1 {
		return fault{}, false
	}
	for name, inner := range envelope {
		var said struct {
			Code    int
			Message string
		}
		if json.Unmarshal(inner, &said) == nil && said.Code == status && said.Message != "" {
			return fault{name, said.Message}, true
		}
	}
	return fault{}, false
}

// lacks reports whether an answer is the service's own that it has no object of
// that ID. "Service cinder-backup could not be found." is a 404 too, and so is the
// page of a proxy that no longer knows where the service is: the object is still
// there.
func (v service) lacks(status int, body []byte, id string) bool {
	if v == barbican {
		return id != "" && lacksSecret(status, body)
	}
	said, own := faultOf(status, body)
	return status == http.StatusNotFound && own && said.name == v.notFound() && id != "" &&
		strings.Contains(strings.ToLower(said.message), strings.ToLower(id))
}

// secretTypes are the types under which a catalog names Barbican.
var secretTypes = []string{"key-manager"}

// hasSecrets tells whether the catalog has a Barbican, for any region.
func hasSecrets(catalog []tokens.CatalogEntry) bool {
	return slices.ContainsFunc(catalog, func(s tokens.CatalogEntry) bool { return slices.Contains(secretTypes, s.Type) })
}
