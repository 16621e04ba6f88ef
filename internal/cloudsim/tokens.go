package cloudsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// token is a token of Keystone. Its roles are read at each use, as with Keystone's Fernet tokens: a revoked role is missing
// even from tokens that were issued before.
type token struct {
	ID      string
	user    string
	project string
	system  bool
	methods []string
	audit   []string
	issued  time.Time
	expires time.Time
}

type authRequest struct {
	Auth struct {
		Identity struct {
			Methods  []string `json:"methods"`
			Password struct {
				User struct {
					ID       string    `json:"id"`
					Name     string    `json:"name"`
					Domain   domainRef `json:"domain"`
					Password string    `json:"password"`
				} `json:"user"`
			} `json:"password"`
			Token struct {
				ID string `json:"id"`
			} `json:"token"`
		} `json:"identity"`
		Scope json.RawMessage `json:"scope"`
	} `json:"auth"`
}

type domainRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type scopeRequest struct {
	Project *struct {
		ID     string    `json:"id"`
		Name   string    `json:"name"`
		Domain domainRef `json:"domain"`
	} `json:"project"`
	System *struct {
		All bool `json:"all"`
	} `json:"system"`
	Domain *domainRef `json:"domain"`
}

// issueToken handles POST /v3/auth/tokens. A wrong password, an unknown user, an unknown or disabled project and a missing role
// all get the same 401: Keystone does not return the cause.
func issueToken(c *Cloud, q *call) response {
	var in authRequest
	if err := json.Unmarshal(q.body, &in); err != nil || len(in.Auth.Identity.Methods) == 0 {
		return keystoneFault(http.StatusBadRequest, "'identity' is a required property")
	}
	t := &token{issued: c.second()}
	t.expires = t.issued.Add(c.opt.TokenLife)
	switch {
	case slices.Contains(in.Auth.Identity.Methods, "password"):
		u := c.userByName(in.Auth.Identity.Password.User.ID, in.Auth.Identity.Password.User.Name, in.Auth.Identity.Password.User.Domain)
		if !c.login(u, in.Auth.Identity.Password.User.Password) {
			return keystoneUnauthorized()
		}
		t.user, t.methods, t.audit = u.ID, []string{"password"}, []string{c.ids.hex()[:22]}
	case slices.Contains(in.Auth.Identity.Methods, "token"):
		old := c.tokens[in.Auth.Identity.Token.ID]
		if old == nil || !c.valid(old) {
			return keystoneUnauthorized()
		}
		t.user, t.expires = old.user, old.expires
		t.methods, t.audit = []string{"password", "token"}, []string{c.ids.hex()[:22], old.audit[len(old.audit)-1]}
	default:
		return keystoneUnauthorized()
	}
	if !c.scope(t, in.Auth.Scope) || !c.valid(t) {
		return keystoneUnauthorized()
	}
	t.ID = "gAAAAA" + c.ids.hex() + c.ids.hex() + c.ids.hex()
	c.tokens[t.ID] = t
	return response{
		status: http.StatusCreated,
		header: http.Header{"X-Subject-Token": {t.ID}},
		body:   map[string]any{"token": c.tokenView(t, q)},
	}
}

// scope reads the requested scope of the token. It returns false if the scope does not exist.
func (c *Cloud) scope(t *token, raw json.RawMessage) bool {
	var in scopeRequest
	if len(raw) == 0 || string(raw) == "null" || string(raw) == `"unscoped"` {
		return true
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return false
	}
	switch {
	case in.Project != nil:
		p := c.projects[in.Project.ID]
		if in.Project.ID == "" {
			p = c.projectByName(in.Project.Name, in.Project.Domain)
		}
		if p == nil {
			return false
		}
		t.project = p.ID
	case in.System != nil && in.System.All:
		t.system = true
	default: // domain scope: no user here has a role on a domain
		return false
	}
	return true
}

// valid reports whether a token is still valid.
func (c *Cloud) valid(t *token) bool {
	u := c.users[t.user]
	if u == nil || !u.Enabled || !c.at.Before(t.expires) {
		return false
	}
	if t.project != "" {
		p := c.projects[t.project]
		return p != nil && p.Enabled && len(c.rolesIn(t.user, t.project)) > 0
	}
	return !t.system || c.hasAdminAnywhere(t.user)
}

// rolesOf lists the roles that a token has now.
func (c *Cloud) rolesOf(t *token) []string {
	switch {
	case t.project != "":
		return c.rolesIn(t.user, t.project)
	case t.system && c.hasAdminAnywhere(t.user):
		return c.implied("admin")
	}
	return nil
}

type catalogEntry struct {
	Endpoints []endpoint `json:"endpoints"`
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	Name      string     `json:"name"`
}

type endpoint struct {
	ID        string `json:"id"`
	Interface string `json:"interface"`
	RegionID  string `json:"region_id"`
	URL       string `json:"url"`
	Region    string `json:"region"`
}

// catalog uses the host of the client's own request, so that the cloud works on any port.
func (c *Cloud) catalog(base, projectID string) []catalogEntry {
	volumes := "/v3"
	if projectID != "" {
		volumes += "/" + projectID
	}
	var out []catalogEntry
	for _, s := range []struct {
		kind, name, path string
		at               []string
	}{
		{"compute", "nova", "/v2.1", c.endpointsOf(base, Nova)},
		{"volumev3", "cinderv3", volumes, c.endpointsOf(base, Cinder)},
		{"block-storage", "cinder", volumes, c.endpointsOf(base, Cinder)},
		{"key-manager", "barbican", "", c.barbicansEndpoints(base)},
		{"identity", "keystone", "/v3", []string{base + "/identity"}},
	} {
		if len(s.at) == 0 {
			continue
		}
		e := catalogEntry{ID: "service-" + s.name, Type: s.kind, Name: s.name}
		for n, at := range s.at {
			for _, i := range []string{"public", "internal", "admin"} {
				e.Endpoints = append(e.Endpoints, endpoint{fmt.Sprintf("endpoint-%s-%s-%d", s.name, i, n), i, c.opt.Region, at + s.path, c.opt.Region})
			}
		}
		out = append(out, e)
	}
	return out
}
