package cloudsim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// OpenRC returns the variables of an openrc file for the user staffeln, with the cloud served under baseURL, such as
// "http://127.0.0.1:5000".
func (c *Cloud) OpenRC(baseURL string) map[string]string {
	return map[string]string{
		"OS_AUTH_URL":             strings.TrimSuffix(baseURL, "/") + "/identity/v3",
		"OS_IDENTITY_API_VERSION": "3",
		"OS_USERNAME":             "staffeln",
		"OS_PASSWORD":             c.cast.Password,
		"OS_USER_DOMAIN_NAME":     "Default",
		"OS_PROJECT_NAME":         "admin",
		"OS_PROJECT_DOMAIN_NAME":  "Default",
		"OS_REGION_NAME":          c.opt.Region,
	}
}

// OpenRCLines returns OpenRC as the lines of a shell script, sorted.
func (c *Cloud) OpenRCLines(baseURL string) []string {
	rc := c.OpenRC(baseURL)
	out := make([]string, 0, len(rc))
	for _, k := range slices.Sorted(maps.Keys(rc)) {
		out = append(out, "export "+k+"='"+strings.ReplaceAll(rc[k], "'", `'\''`)+"'")
	}
	return out
}

// simulatorRoutes show the state of the simulation to other processes. They need no token and are not part of OpenStack.
func simulatorRoutes() []route {
	r := func(path string, handle func(*Cloud, *call) response) route {
		return route{service: simulator, method: http.MethodGet, template: "/cloudsim" + path, open: true, handle: handle}
	}
	return []route{
		r("/journal", func(c *Cloud, _ *call) response { return ok(map[string]any{"events": slices.Clone(c.journal)}) }),
		r("/counts", func(c *Cloud, _ *call) response { return ok(map[string]any{"counts": maps.Clone(c.counts)}) }),
		r("/unknown", func(c *Cloud, _ *call) response { return ok(map[string]any{"unknown": slices.Clone(c.unknown)}) }),
	}
}
