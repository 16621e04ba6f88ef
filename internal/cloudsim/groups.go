package cloudsim

import (
	"encoding/json"
	"net/http"
	"slices"
)

func viewGroup(g *group, base string) map[string]any {
	return map[string]any{
		"id": g.ID, "name": g.Name, "domain_id": g.Domain, "description": "",
		"links": selfLink{base + "/identity/v3/groups/" + g.ID},
	}
}

func listGroups(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:list_groups")
	}
	out := []map[string]any{}
	for _, g := range byKey(c.groups) {
		if !lacks(q, "name", g.Name) && !lacks(q, "domain_id", g.Domain) {
			out = append(out, viewGroup(g, q.base))
		}
	}
	return pagedList(c, q, "groups", out, func(g map[string]any) string { id, _ := g["id"].(string); return id })
}

func createGroup(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:create_group")
	}
	var in struct {
		Group struct {
			Name     string `json:"name"`
			DomainID string `json:"domain_id"`
		} `json:"group"`
	}
	if err := json.Unmarshal(q.body, &in); err != nil || in.Group.Name == "" {
		return keystoneFault(http.StatusBadRequest, "'name' is a required property")
	}
	g := &group{ID: c.ids.hex(), Name: in.Group.Name, Domain: or(in.Group.DomainID, "default")}
	c.groups[g.ID] = g
	return response{status: http.StatusCreated, body: map[string]any{"group": viewGroup(g, q.base)}}
}

func deleteGroup(c *Cloud, q *call) response {
	g := c.groups[q.vars["group"]]
	switch {
	case !q.admin:
		return keystoneNotAllowed("identity:delete_group")
	case g == nil:
		return keystoneFault(http.StatusNotFound, "Could not find group: "+q.vars["group"]+".")
	}
	delete(c.groups, g.ID)
	c.assignments = slices.DeleteFunc(c.assignments, func(a assignment) bool { return a.group == g.ID })
	return response{status: http.StatusNoContent}
}

func addToGroup(c *Cloud, q *call) response {
	g, u := c.groups[q.vars["group"]], c.users[q.vars["user"]]
	switch {
	case !q.admin:
		return keystoneNotAllowed("identity:add_user_to_group")
	case g == nil:
		return keystoneFault(http.StatusNotFound, "Could not find group: "+q.vars["group"]+".")
	case u == nil:
		return keystoneFault(http.StatusNotFound, "Could not find user: "+q.vars["user"]+".")
	}
	if !slices.Contains(g.userIDs, u.ID) {
		g.userIDs = append(g.userIDs, u.ID)
	}
	return response{status: http.StatusNoContent}
}

// updateUser changes only what our tests change: whether the user may log in, and the e-mail address.
func updateUser(c *Cloud, q *call) response {
	u := c.users[q.vars["user"]]
	var in struct {
		User struct {
			Enabled *bool   `json:"enabled"`
			Email   *string `json:"email"`
		} `json:"user"`
	}
	switch {
	case !q.admin:
		return keystoneNotAllowed("identity:update_user")
	case u == nil:
		return keystoneFault(http.StatusNotFound, "Could not find user: "+q.vars["user"]+".")
	case json.Unmarshal(q.body, &in) != nil:
		return keystoneFault(http.StatusBadRequest, "'user' is a required property")
	}
	if in.User.Email != nil {
		u.Email = *in.User.Email
	}
	if in.User.Enabled != nil {
		u.Enabled = *in.User.Enabled
		if !u.Enabled {
			c.revokeTokensOf(u.ID)
		}
	}
	return ok(map[string]any{"user": viewUser(u, q.base)})
}

// AddGroup makes a group of these users and returns its ID.
func (c *Cloud) AddGroup(name string, userIDs ...string) string {
	c.lock()
	defer c.mu.Unlock()
	g := &group{ID: c.ids.hex(), Name: name, Domain: "default", userIDs: slices.Clone(userIDs)}
	c.groups[g.ID] = g
	return g.ID
}

// GrantGroup gives a group a role, by its name, in one project.
func (c *Cloud) GrantGroup(groupID, projectID, roleName string) {
	c.lock()
	defer c.mu.Unlock()
	c.grant(assignment{group: mustFind(c.groups, "group", groupID).ID, project: mustFind(c.projects, "project", projectID).ID, role: c.roleNamed(roleName)})
}

// EnableUser sets whether a user may log in.
func (c *Cloud) EnableUser(id string, enabled bool) {
	c.lock()
	defer c.mu.Unlock()
	mustFind(c.users, "user", id).Enabled = enabled
	c.note(Event{Kind: IdentityChanged, User: id, Detail: "enabled: " + boolText(enabled)})
}
