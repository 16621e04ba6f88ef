package cloudsim

import (
	"net/http"
	"slices"
	"strings"
)

func identityRoutes() []route {
	const v3 = "/identity/v3"
	r := func(method, path string, handle func(*Cloud, *call) response) route {
		return route{service: identity, method: method, template: v3 + path, handle: handle}
	}
	issue := r(http.MethodPost, "/auth/tokens", issueToken)
	issue.open = true
	return []route{
		issue,
		r(http.MethodGet, "/auth/tokens", validateToken),
		r(http.MethodDelete, "/auth/tokens", revokeToken),
		r(http.MethodGet, "/auth/projects", listOwnProjects),
		r(http.MethodGet, "/projects", listProjects),
		r(http.MethodPost, "/projects", createProject),
		r(http.MethodGet, "/projects/{project}", showProject),
		r(http.MethodPatch, "/projects/{project}", updateProject),
		r(http.MethodDelete, "/projects/{project}", deleteProject),
		r(http.MethodGet, "/domains", listDomains),
		r(http.MethodGet, "/users", listUsers),
		r(http.MethodPost, "/users", createUser),
		r(http.MethodGet, "/users/{user}", showUser),
		r(http.MethodDelete, "/users/{user}", deleteUser),
		r(http.MethodGet, "/roles", listRoles),
		r(http.MethodGet, "/role_assignments", listAssignments),
		r(http.MethodPatch, "/users/{user}", updateUser),
		r(http.MethodGet, "/groups", listGroups),
		r(http.MethodPost, "/groups", createGroup),
		r(http.MethodDelete, "/groups/{group}", deleteGroup),
		r(http.MethodPut, "/groups/{group}/users/{user}", addToGroup),
		r(http.MethodPut, "/projects/{project}/groups/{group}/roles/{role}", grantRole),
		r(http.MethodDelete, "/projects/{project}/groups/{group}/roles/{role}", revokeRole),
		r(http.MethodPut, "/projects/{project}/users/{user}/roles/{role}", grantRole),
		r(http.MethodDelete, "/projects/{project}/users/{user}/roles/{role}", revokeRole),
		r(http.MethodPut, "/OS-INHERIT/domains/{domain}/users/{user}/roles/{role}/inherited_to_projects", grantRole),
		r(http.MethodDelete, "/OS-INHERIT/domains/{domain}/users/{user}/roles/{role}/inherited_to_projects", revokeRole),
	}
}

type selfLink struct {
	Self string `json:"self"`
}

type projectView struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	DomainID    string   `json:"domain_id"`
	Description string   `json:"description"`
	Enabled     bool     `json:"enabled"`
	ParentID    string   `json:"parent_id"`
	IsDomain    bool     `json:"is_domain"`
	Tags        []string `json:"tags"`
	Options     struct{} `json:"options"`
	Links       selfLink `json:"links"`
}

func viewProject(p *project, base string) projectView {
	return projectView{
		ID: p.ID, Name: p.Name, DomainID: p.Domain, Description: p.Description, Enabled: p.Enabled,
		ParentID: p.Domain, Tags: []string{}, Links: selfLink{base + "/identity/v3/projects/" + p.ID},
	}
}

// wholeList returns a list of Keystone without pages: it ignores limit and marker. A list longer than list_limit is cut and
// marked as truncated.
func wholeList[T any](c *Cloud, q *call, name string, items []T) response {
	self := q.base + q.path
	if q.raw != "" {
		self += "?" + q.raw
	}
	body := map[string]any{name: items, "links": map[string]any{"next": nil, "self": self, "previous": nil}}
	if most := c.listLimit; most > 0 && len(items) > most {
		body[name], body["truncated"] = items[:most], true
	}
	return ok(body)
}

// keystoneFlag reads a boolean filter such as enabled: any value except a false one is true.
func keystoneFlag(q *call, name string) (value, given bool) {
	if !q.query.Has(name) {
		return false, false
	}
	switch strings.ToLower(q.query.Get(name)) {
	case "false", "0", "f", "no", "n", "off":
		return false, true
	}
	return true, true
}

// lacks reports whether a filter is given that value does not match.
func lacks(q *call, name, value string) bool { return q.query.Has(name) && q.query.Get(name) != value }

func listProjects(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:list_projects")
	}
	enabled, given := keystoneFlag(q, "enabled")
	out := []projectView{}
	for _, p := range byKey(c.projects) {
		if given && p.Enabled != enabled || lacks(q, "domain_id", p.Domain) || lacks(q, "name", p.Name) {
			continue
		}
		out = append(out, viewProject(p, q.base))
	}
	return pagedList(c, q, "projects", out, func(p projectView) string { return p.ID })
}

func listOwnProjects(c *Cloud, q *call) response {
	out := []projectView{}
	for _, p := range byKey(c.projects) {
		if p.Enabled && len(c.rolesIn(q.tok.user, p.ID)) > 0 {
			out = append(out, viewProject(p, q.base))
		}
	}
	return wholeList(c, q, "projects", out)
}

func showProject(c *Cloud, q *call) response {
	id := q.vars["project"]
	p := c.projects[id]
	switch {
	case !q.admin && id != q.tok.project:
		return keystoneNotAllowed("identity:get_project")
	case p == nil:
		return keystoneFault(http.StatusNotFound, "Could not find project: "+id+".")
	}
	return ok(map[string]any{"project": viewProject(p, q.base)})
}

func listDomains(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:list_domains")
	}
	out := []map[string]any{}
	for _, d := range byKey(c.domains) {
		if lacks(q, "name", d.Name) {
			continue
		}
		out = append(out, map[string]any{
			"id": d.ID, "name": d.Name, "description": "", "enabled": true, "tags": []string{}, "options": struct{}{},
			"links": selfLink{q.base + "/identity/v3/domains/" + d.ID},
		})
	}
	return pagedList(c, q, "domains", out, func(d map[string]any) string { id, _ := d["id"].(string); return id })
}

func listRoles(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:list_roles")
	}
	roles := slices.Clone(c.roles)
	slices.SortFunc(roles, func(a, b *role) int { return strings.Compare(a.ID, b.ID) })
	out := []map[string]any{}
	for _, r := range roles {
		if lacks(q, "name", r.Name) {
			continue
		}
		out = append(out, map[string]any{
			"id": r.ID, "name": r.Name, "domain_id": nil, "description": nil, "options": struct{}{},
			"links": selfLink{q.base + "/identity/v3/roles/" + r.ID},
		})
	}
	return unpaged(c, q, "roles", out)
}
