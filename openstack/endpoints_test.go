package openstack

import (
	"testing"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func entry(kind string, endpoints ...tokens.Endpoint) tokens.CatalogEntry {
	return tokens.CatalogEntry{Type: kind, Endpoints: endpoints}
}

func TestEndpointsByRegionAndInterface(t *testing.T) {
	t.Parallel()
	catalog := []tokens.CatalogEntry{
		entry("volumev2", tokens.Endpoint{Region: "north", Interface: "public", URL: "http://old/v2/p"}),
		entry("block-storage", tokens.Endpoint{Region: "north", Interface: "public", URL: "http://second/v3"}),
		entry("volumev3",
			tokens.Endpoint{Region: "north", Interface: "public", URL: "http://n/volume/v3/p/"},
			tokens.Endpoint{Region: "north", Interface: "internal", URL: "http://n-int/v3/p"},
			tokens.Endpoint{RegionID: "south", Interface: "public", URL: "http://s/v3/p"}),
		entry("compute",
			tokens.Endpoint{Region: "north", Interface: "public", URL: "http://n/compute"},
			tokens.Endpoint{Region: "north", Interface: "internal", URL: "http://n-int/v2.1/"},
			tokens.Endpoint{RegionID: "south", Interface: "public", URL: "http://s/v2.1"}),
		entry("key-manager", tokens.Endpoint{Region: "north", Interface: "public", URL: "http://b"}),
	}
	for _, c := range []struct{ region, iface, volume, compute string }{
		{"north", "public", "http://n/volume/v3/p", "http://n/compute/v2.1"},
		{"north", "internal", "http://n-int/v3/p", "http://n-int/v2.1"},
		{"", "internal", "http://n-int/v3/p", "http://n-int/v2.1"}, // the only region with an endpoint for this interface
		{"south", "public", "http://s/v3/p", "http://s/v2.1"},
	} {
		from := Credentials{region: c.region, iface: c.iface}
		for of, want := range map[service]string{cinder: c.volume, nova: c.compute} {
			urls, err := from.candidates(catalog, of)
			require.NoError(t, err)
			assert.Equal(t, []string{want}, urls)
		}
	}
	_, err := Credentials{iface: "public"}.candidates(catalog, cinder)
	require.ErrorContains(t, err, "set OS_REGION_NAME")
	_, err = Credentials{region: "west", iface: "public"}.candidates(catalog, cinder)
	require.ErrorContains(t, err, `"west"`)
	assert.True(t, hasSecrets(catalog))
	assert.False(t, hasSecrets(catalog[:4]))

	urls, err := Credentials{region: "north", iface: "public"}.candidates([]tokens.CatalogEntry{catalog[1], catalog[3]}, cinder)
	require.NoError(t, err)
	assert.Equal(t, []string{"http://second/v3"}, urls, "the newer name of the service")
}
