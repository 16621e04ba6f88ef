package cloudsim

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

func versionRoutes() []route {
	var out []route
	add := func(s service, open bool, handle func(*Cloud, *call) response, paths ...string) {
		for _, p := range paths {
			out = append(out, route{service: s, method: http.MethodGet, template: p, open: open, handle: handle})
		}
	}
	add(identity, true, identityVersions, "/identity", "/identity/")
	add(identity, true, identityVersion, "/identity/v3", "/identity/v3/")
	add(compute, true, computeVersions, "/compute", "/compute/")
	add(compute, true, computeVersion, "/compute/v2.1", "/compute/v2.1/")
	add(blockStorage, true, volumeVersions(http.StatusMultipleChoices), "/volume", "/volume/")
	add(blockStorage, true, volumeRedirect, "/volume/v3")
	add(blockStorage, false, volumeVersions(http.StatusOK), "/volume/v3/")
	add(blockStorage, false, func(*Cloud, *call) response { return noResource() }, "/volume/v3/{project}", "/volume/v3/{project}/")
	return out
}

func identityDocument(base string) string {
	return `{"id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": [{"rel": "self", "href": "` + base +
		`/identity/v3/"}], "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}]}`
}

func identityVersions(_ *Cloud, q *call) response {
	return response{
		status: http.StatusMultipleChoices,
		header: http.Header{"Location": {q.base + "/identity/v3/"}},
		raw:    `{"versions": {"values": [` + identityDocument(q.base) + `]}}`,
	}
}

func identityVersion(_ *Cloud, q *call) response {
	return response{status: http.StatusOK, raw: `{"version": ` + identityDocument(q.base) + `}`}
}

// computeVersions handles Nova's list of versions with a 200; Keystone and Cinder return a 300 (measured).
func computeVersions(c *Cloud, q *call) response {
	return response{status: http.StatusOK, raw: fmt.Sprintf(`{"versions": [{"id": "v2.0", "status": "SUPPORTED", "version": "", "min_version": "", `+
		`"updated": "2011-01-21T11:33:21Z", "links": [{"rel": "self", "href": "%[1]s/compute/v2/"}]}, {"id": "v2.1", "status": "CURRENT", `+
		`"version": "2.%[2]d", "min_version": "2.1", "updated": "2013-07-23T11:33:21Z", "links": [{"rel": "self", "href": "%[1]s/compute/v2.1/"}]}]}`,
		q.base, c.highest(q, Nova, c.opt.ComputeMinor))}
}

func computeVersion(c *Cloud, q *call) response {
	return response{status: http.StatusOK, raw: fmt.Sprintf(`{"version": {"id": "v2.1", "status": "CURRENT", "version": "2.%[2]d", "min_version": "2.1", `+
		`"updated": "2013-07-23T11:33:21Z", "links": [{"rel": "self", "href": "%[1]s/compute/v2.1/"}, {"rel": "describedby", "type": "text/html", `+
		`"href": "http://docs.openstack.org/"}], "media-types": [{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}]}}`,
		q.base, c.highest(q, Nova, c.opt.ComputeMinor))}
}

func volumeVersions(status int) func(*Cloud, *call) response {
	return func(c *Cloud, q *call) response {
		return response{status: status, raw: fmt.Sprintf(`{"versions": [{"id": "v3.0", "status": "CURRENT", "version": "3.%[2]d", "min_version": "3.0", `+
			`"updated": "2022-08-31T00:00:00Z", "links": [{"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"}, `+
			`{"rel": "self", "href": "%[1]s/volume/v3/"}], "media-types": [{"base": "application/json", "type": "application/vnd.openstack.volume+json;version=3"}]}]}`,
			q.base, c.highest(q, Cinder, c.opt.VolumeMinor))}
	}
}

func volumeRedirect(_ *Cloud, q *call) response {
	return response{
		status: http.StatusFound,
		header: http.Header{"Location": {q.base + "/volume/v3/"}, "Content-Type": {"text/plain; charset=utf8"}},
	}
}

var versionForm = regexp.MustCompile(`^([1-9]\d*)\.([1-9]\d*|0)$`)

// negotiate reads the requested microversion into q.minor.
func (c *Cloud) negotiate(q *call) (response, bool) {
	name, major, lowest, highest := Cinder, 3, 0, c.highest(q, Cinder, c.opt.VolumeMinor)
	if q.route.service == compute {
		name, major, lowest, highest = Nova, 2, 1, c.highest(q, Nova, c.opt.ComputeMinor)
	}
	q.minor = lowest
	asked := requestedVersion(q.header, name)
	switch asked {
	case "":
		return response{}, false
	case "latest":
		q.minor = highest
		return response{}, false
	}
	m := versionForm.FindStringSubmatch(asked)
	if m == nil {
		return badRequest("API Version String " + asked + " is of invalid format. Must be of format MajorNum.MinorNum."), true
	}
	minor, err := strconv.Atoi(m[2])
	if err == nil {
		q.minor = minor
	}
	if m[1] != strconv.Itoa(major) || err != nil || minor < lowest || minor > highest {
		return fault(http.StatusNotAcceptable, "computeFault", fmt.Sprintf("Version %s is not supported by the API. Minimum is %d.%d and maximum is %d.%d.",
			asked, major, lowest, major, highest)), true
	}
	return response{}, false
}

// requestedVersion reads the common header, or Nova's older one.
func requestedVersion(h http.Header, name string) string {
	for _, line := range h.Values("Openstack-Api-Version") {
		for part := range strings.SplitSeq(line, ",") {
			if s, v, ok := strings.Cut(strings.TrimSpace(part), " "); ok && strings.EqualFold(s, name) {
				return strings.TrimSpace(v)
			}
		}
	}
	if name == Nova {
		return h.Get("X-Openstack-Nova-Api-Version")
	}
	return ""
}
