package openstack

import (
	"regexp"
	"strings"
)

// words are the segments of the paths that we ask for after the version;
// everything else there is an ID. The set keeps the log and the metrics free of
// unbounded values.
var words = map[string]bool{
	"auth": true, "tokens": true, "projects": true, "users": true, "domains": true, "role_assignments": true, "os-quota-sets": true,
	"servers": true, "volumes": true, "backups": true, "detail": true, "action": true, "secrets": true,
}

var version = regexp.MustCompile(`^v\d+(\.\d+)?$`)

// routeOf returns the template of a path: `/v3/{id}/backups/{id}`. What stands
// before the version is the endpoint's own and stays.
func routeOf(path string) string {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	after := false
	for i, s := range segments {
		switch {
		case version.MatchString(s):
			after = true
		case after && s != "" && !words[s]:
			segments[i] = "{id}"
		}
	}
	if r := strings.Join(segments, "/"); r != "" {
		return r
	}
	return "/"
}
