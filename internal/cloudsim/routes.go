package cloudsim

import (
	"net/http"
	"slices"
	"strings"
)

type service int

const (
	simulator service = iota // the simulation's own routes
	identity
	compute
	blockStorage
	keyManager
)

// route is one API call. Its template has the variable parts in braces.
type route struct {
	service  service
	method   string
	template string
	open     bool // no token is needed
	handle   func(*Cloud, *call) response
	segments []string
}

func (r route) name() string { return r.method + " " + r.template }

// find finds the route of the request and reads the variables of its path.
func (c *Cloud) find(q *call) bool {
	path := q.path
	if rest, ok := strings.CutPrefix(path, "/volume/v3/"); ok {
		path = "/volume/v3/" + withProject(rest, q)
	}
	segments := strings.Split(path, "/")
	for _, r := range routeTable[len(segments)] {
		if r.method != q.method && (r.method != http.MethodGet || q.method != http.MethodHead) {
			continue
		}
		if matches(r.segments, segments, q.vars) {
			q.route = r
			q.tok = c.tokens[q.header.Get("X-Auth-Token")]
			return true
		}
	}
	// The services return different errors for unknown routes. In each case the client has a bug, or the simulation lacks a route.
	return false
}

func matches(template, segments []string, vars map[string]string) bool {
	for i, t := range template {
		if strings.HasPrefix(t, "{") {
			if segments[i] == "" {
				return false
			}
			continue
		}
		if t != segments[i] {
			return false
		}
	}
	for i, t := range template {
		if strings.HasPrefix(t, "{") {
			vars[strings.Trim(t, "{}")] = segments[i]
		}
	}
	return true
}

// collections are the first segments of Cinder's paths. Since 3.67 the URL may omit the project (in Zed at any microversion,
// measured): a path that begins with one of these has no project.
var collections = map[string]bool{
	"volumes": true, "backups": true, "os-quota-sets": true, "limits": true, "os-services": true, "messages": true, "types": true,
}

// withProject adds a placeholder for the project to a path without one.
func withProject(rest string, q *call) string {
	first, _, _ := strings.Cut(rest, "/")
	if !collections[first] {
		return rest
	}
	q.vars["omitted"] = "true"
	return "-/" + rest
}

var routeTable = buildRoutes()

func buildRoutes() map[int][]route {
	table := map[int][]route{}
	for _, group := range [][]route{versionRoutes(), identityRoutes(), computeRoutes(), volumeRoutes(), backupRoutes(), secretRoutes(), simulatorRoutes()} {
		for _, r := range group {
			r.segments = strings.Split(r.template, "/")
			table[len(r.segments)] = append(table[len(r.segments)], r)
		}
	}
	return table
}

// admit checks token, microversion and URL before the handler runs.
func (c *Cloud) admit(q *call) (response, bool) {
	r := q.route
	if !r.open {
		if q.tok == nil || !c.valid(q.tok) {
			if r.service == identity {
				a := keystoneUnauthorized()
				a.header = http.Header{"Www-Authenticate": {`Keystone uri="` + q.base + `/identity/v3"`}}
				return a, true
			}
			return unauthorized(q.base), true
		}
		q.admin = slices.Contains(c.rolesOf(q.tok), "admin")
	}
	switch r.service {
	case compute, blockStorage:
		if a, refused := c.negotiate(q); refused {
			return a, true
		}
	case simulator, identity, keyManager:
	}
	if r.service == blockStorage && !r.open {
		return c.checkProject(q)
	}
	return response{}, false
}

// checkProject checks that the project in Cinder's URL is the token's, or omitted. Admins' tokens are no exception.
func (c *Cloud) checkProject(q *call) (response, bool) {
	_, inURL := q.vars["project"]
	switch {
	case !inURL:
		return response{}, false
	case q.vars["omitted"] != "":
		if q.tok.project == "" && !q.tok.system {
			return forbidden("Not authorized."), true
		}
	case q.vars["project"] != q.tok.project:
		return badRequest("Malformed request url"), true
	}
	return response{}, false
}
