package openstack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
)

var versioned = regexp.MustCompile(`/v\d+(\.\d+)?(/|$)`)

// candidates returns the service's URLs in our region and for our interface,
// without a slash at the end, in the catalog's order; version is appended where
// one has none. With the error that there are several regions it returns them too.
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

// A choice is among the URLs that a catalog has for one service.
type choice struct {
	like    func(u string) bool // the admin project's, for another project
	present string              // empty: none yet
	failing bool                // nobody of the service answers at present
}

// of returns the URL to use. Where a region has several, the order of a catalog
// means nothing, and the present one stays as long as it answers. fault is what
// candidates returned.
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
	case at >= 0: // the next one, so that each of many has its turn
		return urls[(at+1)%len(urls)], nil
	}
	return urls[0], nil
}

// alike reports whether two projects' URLs of a service are the same but for the project.
func alike(one, oneProject, other, otherProject string) bool {
	const project = "{project}"
	return strings.ReplaceAll(one, oneProject, project) == strings.ReplaceAll(other, otherProject, project)
}
