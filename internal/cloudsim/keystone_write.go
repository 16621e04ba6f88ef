package cloudsim

import (
	"encoding/json"
	"net/http"
)

type userView struct {
	Email    string   `json:"email,omitempty"`
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	DomainID string   `json:"domain_id"`
	Enabled  bool     `json:"enabled"`
	Password *string  `json:"password_expires_at"`
	Options  struct{} `json:"options"`
	Links    selfLink `json:"links"`
}

func viewUser(u *user, base string) userView {
	return userView{
		Email: u.Email, ID: u.ID, Name: u.Name, DomainID: u.Domain, Enabled: u.Enabled,
		Links: selfLink{base + "/identity/v3/users/" + u.ID},
	}
}

func listUsers(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:list_users")
	}
	enabled, given := keystoneFlag(q, "enabled")
	out := []userView{}
	for _, id := range c.userOrder {
		u := c.users[id]
		if given && u.Enabled != enabled || lacks(q, "domain_id", u.Domain) || lacks(q, "name", u.Name) {
			continue
		}
		out = append(out, viewUser(u, q.base))
	}
	return pagedList(c, q, "users", out, func(u userView) string { return u.ID })
}

func showUser(c *Cloud, q *call) response {
	id := q.vars["user"]
	u := c.users[id]
	switch {
	case !q.admin && id != q.tok.user:
		return keystoneNotAllowed("identity:get_user")
	case u == nil:
		return keystoneFault(http.StatusNotFound, "Could not find user: "+id+".")
	}
	return ok(map[string]any{"user": viewUser(u, q.base)})
}

func createUser(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:create_user")
	}
	var in struct {
		User struct {
			Name     string `json:"name"`
			Password string `json:"password"`
			Email    string `json:"email"`
			DomainID string `json:"domain_id"`
		} `json:"user"`
	}
	if err := json.Unmarshal(q.body, &in); err != nil || in.User.Name == "" {
		return keystoneFault(http.StatusBadRequest, "'name' is a required property")
	}
	d := or(in.User.DomainID, "default")
	if c.userByName("", in.User.Name, domainRef{ID: d}) != nil {
		return keystoneFault(http.StatusConflict, "Conflict occurred attempting to store user - Duplicate entry found with name "+
			in.User.Name+" at domain ID "+d+".")
	}
	u := c.addUser(d, in.User.Name, in.User.Password, in.User.Email)
	return response{status: http.StatusCreated, body: map[string]any{"user": viewUser(u, q.base)}}
}

func deleteUser(c *Cloud, q *call) response {
	u := c.users[q.vars["user"]]
	switch {
	case !q.admin:
		return keystoneNotAllowed("identity:delete_user")
	case u == nil:
		return keystoneFault(http.StatusNotFound, "Could not find user: "+q.vars["user"]+".")
	}
	c.removeUser(u)
	return response{status: http.StatusNoContent}
}

type projectInput struct {
	Project struct {
		Name        *string `json:"name"`
		DomainID    string  `json:"domain_id"`
		Description *string `json:"description"`
		Enabled     *bool   `json:"enabled"`
	} `json:"project"`
}

func createProject(c *Cloud, q *call) response {
	if !q.admin {
		return keystoneNotAllowed("identity:create_project")
	}
	var in projectInput
	if err := json.Unmarshal(q.body, &in); err != nil || in.Project.Name == nil || *in.Project.Name == "" {
		return keystoneFault(http.StatusBadRequest, "'name' is a required property")
	}
	d := or(in.Project.DomainID, "default")
	if c.domains[d] == nil {
		return keystoneFault(http.StatusNotFound, "Could not find domain: "+d+".")
	}
	if old := c.projectByName(*in.Project.Name, domainRef{ID: d}); old != nil {
		return keystoneFault(http.StatusConflict, "Conflict occurred attempting to store project - it is not permitted to have two projects "+
			"with either the same name or same id in the same domain: name is "+*in.Project.Name+", project id "+old.ID+".")
	}
	p := c.addProject(d, *in.Project.Name)
	in.apply(p)
	return response{status: http.StatusCreated, body: map[string]any{"project": viewProject(p, q.base)}}
}

func (in projectInput) apply(p *project) {
	if in.Project.Name != nil {
		p.Name = *in.Project.Name
	}
	if in.Project.Description != nil {
		p.Description = *in.Project.Description
	}
	if in.Project.Enabled != nil {
		p.Enabled = *in.Project.Enabled
	}
}

func updateProject(c *Cloud, q *call) response {
	p := c.projects[q.vars["project"]]
	var in projectInput
	switch {
	case !q.admin:
		return keystoneNotAllowed("identity:update_project")
	case p == nil:
		return keystoneFault(http.StatusNotFound, "Could not find project: "+q.vars["project"]+".")
	case json.Unmarshal(q.body, &in) != nil:
		return keystoneFault(http.StatusBadRequest, "'project' is a required property")
	}
	in.apply(p)
	c.note(Event{Kind: IdentityChanged, Project: p.ID, User: q.tok.user, Detail: "project updated"})
	return ok(map[string]any{"project": viewProject(p, q.base)})
}

// deleteProject keeps what the project has in Nova and Cinder, as OpenStack does.
func deleteProject(c *Cloud, q *call) response {
	p := c.projects[q.vars["project"]]
	switch {
	case !q.admin:
		return keystoneNotAllowed("identity:delete_project")
	case p == nil:
		return keystoneFault(http.StatusNotFound, "Could not find project: "+q.vars["project"]+".")
	}
	c.removeProject(p)
	return response{status: http.StatusNoContent}
}

func or(s, d string) string {
	if s == "" {
		return d
	}
	return s
}
