package openstack

import (
	"regexp"
	"strings"
)

// pathWords are the segments of our paths after the version; any other segment there is an ID. The fixed set keeps unbounded
// values out of the log and the metrics.
var pathWords = map[string]bool{
	"auth": true, "tokens": true, "projects": true, "users": true, "domains": true, "role_assignments": true, "os-quota-sets": true,
	"servers": true, "volumes": true, "backups": true, "detail": true, "action": true, "secrets": true,
}

var version = regexp.MustCompile(`^v\d+(\.\d+)?$`)

// routeOf returns the template of a path: `/v3/{id}/backups/{id}`. Segments before the version belong to the endpoint and are
// not changed.
func routeOf(path string) string {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	after := false
	for i, s := range segments {
		switch {
		case version.MatchString(s):
			after = true
		case after && s != "" && !pathWords[s]:
			segments[i] = "{id}"
		}
	}
	if r := strings.Join(segments, "/"); r != "" {
		return r
	}
	return "/"
}
