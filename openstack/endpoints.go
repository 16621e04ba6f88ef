package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"

	"staffeln/backup"
)

// The types under which a catalog names a service, the usual one first.
var (
	volumeTypes  = []string{"volumev3", "block-storage", "block-store", "volume"}
	computeTypes = []string{"compute"}
	secretTypes  = []string{"key-manager"}
)

var versioned = regexp.MustCompile(`/v\d+(\.\d+)?(/|$)`)

// endpoints finds Cinder and Nova in a token's catalog.
func (c Credentials) endpoints(catalog []tokens.CatalogEntry) (volume, compute string, err error) {
	if volume, err = c.endpoint(catalog, volumeTypes, "/v3"); err != nil {
		return "", "", err
	}
	compute, err = c.endpoint(catalog, computeTypes, "/v2.1")
	return volume, compute, err
}

// endpoint returns the service's URL in our region and for our interface,
// without a slash at the end; version is appended where it has none.
func (c Credentials) endpoint(catalog []tokens.CatalogEntry, types []string, version string) (string, error) {
	found := map[string]string{} // by region
	for _, t := range types {
		for _, service := range catalog {
			if service.Type != t {
				continue
			}
			for _, e := range service.Endpoints {
				region := e.Region
				if region == "" {
					region = e.RegionID
				}
				_, known := found[region]
				if e.Interface == c.iface && (c.region == "" || region == c.region) && !known {
					found[region] = strings.TrimRight(e.URL, "/")
				}
			}
		}
		if len(found) > 0 {
			break
		}
	}
	if len(found) > 1 {
		return "", fmt.Errorf("find endpoint of %s: the catalog has %d regions: set OS_REGION_NAME", types[0], len(found))
	}
	for _, u := range found {
		if !versioned.MatchString(u) {
			u += version
		}
		return u, nil
	}
	return "", fmt.Errorf("find endpoint of %s: the catalog has none for interface %q and region %q", types[0], c.iface, c.region)
}

// hasSecrets tells whether the catalog has a Barbican, for any region.
func hasSecrets(catalog []tokens.CatalogEntry) bool {
	return slices.ContainsFunc(catalog, func(s tokens.CatalogEntry) bool { return slices.Contains(secretTypes, s.Type) })
}

// Microversions of Cinder that decide what we can do.
const (
	newestVolumeMinor = 70 // the highest that we know (Zed)
	metadataMinor     = 43 // metadata on backups; below, the tag stands in the description
	zoneMinor         = 51 // availability_zone of a backup that is asked for
	secretMinor       = 64 // encryption_key_id of backups; below, any may be encrypted
	oldestVolumeMinor = 18 // the project of a backup; without it nothing here works
)

// negotiate returns the highest microversion that Cinder offers and we know.
func (c *Cloud) negotiate(ctx context.Context) (int, error) {
	root := c.admin.volume
	if at := strings.Index(root, "/v3"); at >= 0 {
		root = root[:at+len("/v3")]
	}
	r := request{op: "negotiate microversion", object: "of " + root, method: http.MethodGet, url: root + "/"}
	offered := 0
	r.decode = func(body []byte) error {
		var said struct {
			Versions []struct {
				ID, Version string
			}
		}
		if err := json.Unmarshal(body, &said); err != nil {
			return err
		}
		for _, v := range said.Versions {
			minor, ok := strings.CutPrefix(v.Version, "3.")
			n, err := strconv.Atoi(minor)
			if ok && err == nil {
				offered = max(offered, n)
			}
		}
		return nil
	}
	if err := c.do(ctx, c.admin, r); err != nil {
		return 0, err
	}
	if offered < oldestVolumeMinor {
		return 0, r.refuse(c.admin.projectID, backup.MeansRefused,
			fmt.Sprintf("Cinder offers 3.%d: want at least 3.%d, which tells the project of a backup", offered, oldestVolumeMinor))
	}
	return min(offered, newestVolumeMinor), nil
}
