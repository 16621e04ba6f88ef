package openstack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

var versioned = regexp.MustCompile(`/v\d+(\.\d+)?(/|$)`)

// candidates returns the service's URLs in our region and for our interface, in the catalog's order, without a slash at the
// end. It appends the version to a URL that has none. If the catalog has several regions it returns the URLs and an error.
func (c Credentials) candidates(catalog []tokens.CatalogEntry, of service) (urls []string, err error) {
	regions := map[string]bool{}
	types, version := of.types()
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
				if e.Interface != c.iface || (c.region != "" && region != c.region) || e.URL == "" {
					continue
				}
				u := strings.TrimRight(e.URL, "/")
				if !versioned.MatchString(u) {
					u += version
				}
				regions[region] = true
				if !slices.Contains(urls, u) {
					urls = append(urls, u)
				}
			}
		}
		if len(urls) > 0 {
			break
		}
	}
	switch {
	case len(urls) == 0:
		return nil, fmt.Errorf("find endpoint of %s: the catalog has none for interface %q and region %q", types[0], c.iface, c.region)
	case len(regions) > 1:
		return urls, fmt.Errorf("find endpoint of %s: the catalog has %d regions: set OS_REGION_NAME", types[0], len(regions))
	}
	return urls, nil
}

// A choice selects one of the URLs that a catalog has for one service.
type choice struct {
	like    func(u string) bool // for other projects: matches the URL that the admin project uses
	present string              // the URL in use; empty: none yet
	failing bool                // the service does not respond at the URL in use
}

// of returns the URL to use. The order of a catalog has no meaning, so the present URL remains in use as long as the
// service responds there. fault is the error of candidates.
func (c choice) of(urls []string, fault error) (string, error) {
	if c.like != nil {
		if i := slices.IndexFunc(urls, c.like); i >= 0 {
			return urls[i], nil
		}
	}
	at := slices.Index(urls, c.present)
	switch {
	case at >= 0 && !c.failing:
		return c.present, nil
	case fault != nil:
		return "", fault
	case at >= 0: // the next URL, so that each of several is tried
		return urls[(at+1)%len(urls)], nil
	}
	return urls[0], nil
}

// alike reports whether two projects' URLs of a service differ only in the project ID.
func alike(one, oneProject, other, otherProject string) bool {
	const project = "{project}"
	return strings.ReplaceAll(one, oneProject, project) == strings.ReplaceAll(other, otherProject, project)
}
