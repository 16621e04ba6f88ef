package cloudsim

import (
	"net/http"
)

// pathAssignment reads user, role and project (or domain) from the path. A missing one is a 404.
func (c *Cloud) pathAssignment(q *call) (assignment, response, bool) {
	u, g, r := c.users[q.vars["user"]], c.groups[q.vars["group"]], c.role(q.vars["role"])
	groupID, isGroup := q.vars["group"]
	switch {
	case isGroup && g == nil:
		return assignment{}, keystoneFault(http.StatusNotFound, "Could not find group: "+groupID+"."), false
	case !isGroup && u == nil:
		return assignment{}, keystoneFault(http.StatusNotFound, "Could not find user: "+q.vars["user"]+"."), false
	case r == nil || r.ID != q.vars["role"]:
		return assignment{}, keystoneFault(http.StatusNotFound, "Could not find role: "+q.vars["role"]+"."), false
	}
	a := assignment{group: groupID, role: r.Name}
	if !isGroup {
		a.user = u.ID
	}
	if d, ok := q.vars["domain"]; ok {
		if c.domains[d] == nil {
			return assignment{}, keystoneFault(http.StatusNotFound, "Could not find domain: "+d+"."), false
		}
		a.domain = d
		return a, response{}, true
	}
	p := q.vars["project"]
	if c.projects[p] == nil {
		return assignment{}, keystoneFault(http.StatusNotFound, "Could not find project: "+p+"."), false
	}
	a.project = p
	return a, response{}, true
}

func grantRole(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:create_grant")
	}
	a, refusal, ok := c.pathAssignment(q)
	if !ok {
		return refusal
	}
	c.grant(a)
	return response{status: http.StatusNoContent}
}

func revokeRole(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:revoke_grant")
	}
	a, refusal, ok := c.pathAssignment(q)
	if !ok {
		return refusal
	}
	if !c.ungrant(a) {
		return keystoneFault(http.StatusNotFound, "Could not find role assignment with role: "+q.vars["role"]+
			", user or group: "+a.user+", project, domain, or system: "+or(a.project, a.domain)+".")
	}
	return response{status: http.StatusNoContent}
}

type assignmentView struct {
	Links map[string]string `json:"links"`
	Scope struct {
		Project   *scopedName `json:"project,omitempty"`
		Domain    *scopedName `json:"domain,omitempty"`
		Inherited string      `json:"OS-INHERIT:inherited_to,omitempty"`
	} `json:"scope"`
	User  *scopedName `json:"user,omitempty"`
	Group *scopedName `json:"group,omitempty"`
	Role  scopedName  `json:"role"`
}

// listAssignments handles GET /v3/role_assignments. Without effective it lists the assignments as they were granted. With
// effective it lists inherited assignments in each project that they apply to, and implied roles too.
func listAssignments(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:list_role_assignments")
	}
	effective, _ := keystoneFlag(q, "effective")
	out := []assignmentView{}
	for _, a := range c.assignments {
		if !effective {
			if !lacks(q, "user.id", a.user) && !lacks(q, "scope.project.id", a.project) && !lacks(q, "scope.domain.id", a.domain) && !lacks(q, "role.id", c.role(a.role).ID) {
				out = append(out, c.assignmentView(q, a, a.project, a.role))
			}
			continue
		}
		for _, p := range byKey(c.projects) {
			if !c.applies(a, p) || lacks(q, "scope.project.id", p.ID) || q.query.Has("scope.domain.id") {
				continue
			}
			for _, id := range c.holders(a) {
				if lacks(q, "user.id", id) {
					continue
				}
				for _, name := range c.implied(a.role) {
					if !lacks(q, "role.id", c.role(name).ID) {
						out = append(out, c.effectiveView(q, a, id, p.ID, name))
					}
				}
			}
		}
	}
	return unpaged(c, q, "role_assignments", out)
}

func (c *Cloud) assignmentView(q *call, a assignment, projectID, roleName string) assignmentView {
	v3 := q.base + "/identity/v3"
	granted := c.role(a.role).ID
	link := v3 + "/projects/" + a.project + "/users/" + a.user + "/roles/" + granted
	if a.domain != "" {
		link = v3 + "/OS-INHERIT/domains/" + a.domain + "/users/" + a.user + "/roles/" + granted + "/inherited_to_projects"
	}
	r := c.role(roleName)
	if a.group != "" {
		link = v3 + "/projects/" + a.project + "/groups/" + a.group + "/roles/" + granted
	}
	v := assignmentView{Links: map[string]string{"assignment": link}, Role: scopedName{ID: r.ID}}
	if roleName != a.role {
		v.Links["prior_role"] = v3 + "/prior_role/" + granted + "/implies/" + r.ID
	}
	if a.domain != "" {
		v.Scope.Inherited = "projects"
	}
	names, _ := keystoneFlag(q, "include_names")
	if projectID != "" {
		v.Scope.Project = &scopedName{ID: projectID}
		if p := c.projects[projectID]; names {
			d := c.domainView(p.Domain)
			v.Scope.Project.Name, v.Scope.Project.Domain = p.Name, &d
		}
	} else {
		v.Scope.Domain = &scopedName{ID: a.domain}
		if names {
			v.Scope.Domain.Name = c.domains[a.domain].Name
		}
	}
	if names {
		v.Role.Name = r.Name
	}
	if a.group != "" {
		v.Group = &scopedName{ID: a.group}
		if g := c.groups[a.group]; names {
			d := c.domainView(g.Domain)
			v.Group.Name, v.Group.Domain = g.Name, &d
		}
		return v
	}
	v.User = c.userName(a.user, names)
	return v
}

// effectiveView returns what an assignment gives one user in one project. An assignment through a group is shown as the
// user's, with a link to the membership.
func (c *Cloud) effectiveView(q *call, a assignment, userID, projectID, roleName string) assignmentView {
	v := c.assignmentView(q, a, projectID, roleName)
	if a.group != "" {
		names, _ := keystoneFlag(q, "include_names")
		v.Group, v.User = nil, c.userName(userID, names)
		v.Links["membership"] = q.base + "/identity/v3/groups/" + a.group + "/users/" + userID
	}
	return v
}

func (c *Cloud) userName(id string, names bool) *scopedName {
	s := &scopedName{ID: id}
	if names {
		u := c.users[id]
		d := c.domainView(u.Domain)
		s.Name, s.Domain = u.Name, &d
	}
	return s
}
