package cloudsim

import (
	"slices"
	"time"
)

type domain struct{ ID, Name string }

type project struct {
	ID, Name, Domain, Description string
	Enabled                       bool
}

type user struct {
	ID, Name, Domain, Email string
	Enabled                 bool
	password                string
	failed                  int // failed logins in a row
	failedAt                time.Time
}

type role struct{ ID, Name string }

// group is a set of users that get roles together.
type group struct {
	ID, Name, Domain string
	userIDs          []string
}

// assignment gives a user or a group a role in one project or, if domain is set, in every present and future project of that
// domain (OS-INHERIT).
type assignment struct{ user, group, project, domain, role string }

// holds reports whether the assignment applies to the user, directly or through a group.
func (c *Cloud) holds(a assignment, userID string) bool {
	if a.group == "" {
		return a.user == userID
	}
	g := c.groups[a.group]
	return g != nil && slices.Contains(g.userIDs, userID)
}

// holders lists the users that get the role of an assignment.
func (c *Cloud) holders(a assignment) []string {
	if a.group == "" {
		return []string{a.user}
	}
	if g := c.groups[a.group]; g != nil {
		return g.userIDs
	}
	return nil
}

func (c *Cloud) addProject(domainID, name string) *project {
	p := &project{ID: c.ids.hex(), Name: name, Domain: domainID, Enabled: true}
	c.projects[p.ID] = p
	c.note(Event{Kind: IdentityChanged, Project: p.ID, Detail: "project " + name + " created"})
	return p
}

func (c *Cloud) addUser(domainID, name, password, email string) *user {
	u := &user{ID: c.ids.hex(), Name: name, Domain: domainID, Email: email, Enabled: true, password: password}
	c.users[u.ID] = u
	c.userOrder = append(c.userOrder, u.ID)
	c.note(Event{Kind: IdentityChanged, User: u.ID, Detail: "user " + name + " created"})
	return u
}

func (c *Cloud) removeProject(p *project) {
	delete(c.projects, p.ID)
	c.assignments = slices.DeleteFunc(c.assignments, func(a assignment) bool { return a.project == p.ID })
	c.note(Event{Kind: IdentityChanged, Project: p.ID, Detail: "project " + p.Name + " deleted"})
}

func (c *Cloud) removeUser(u *user) {
	delete(c.users, u.ID)
	c.userOrder = slices.DeleteFunc(c.userOrder, func(id string) bool { return id == u.ID })
	c.assignments = slices.DeleteFunc(c.assignments, func(a assignment) bool { return a.user == u.ID })
	for _, g := range c.groups {
		g.userIDs = slices.DeleteFunc(g.userIDs, func(id string) bool { return id == u.ID })
	}
	c.revokeTokensOf(u.ID)
	c.note(Event{Kind: IdentityChanged, User: u.ID, Detail: "user " + u.Name + " deleted"})
}

func (c *Cloud) revokeTokensOf(userID string) {
	for id, t := range c.tokens {
		if t.user == userID {
			delete(c.tokens, id)
		}
	}
}

func (c *Cloud) grant(a assignment) {
	if slices.Contains(c.assignments, a) {
		return
	}
	c.assignments = append(c.assignments, a)
	c.note(Event{Kind: IdentityChanged, User: a.user, Project: a.project, Detail: "role " + a.role + " granted"})
}

// ungrant removes an assignment and reports whether it existed.
func (c *Cloud) ungrant(a assignment) bool {
	i := slices.Index(c.assignments, a)
	if i < 0 {
		return false
	}
	c.assignments = slices.Delete(c.assignments, i, i+1)
	c.note(Event{Kind: IdentityChanged, User: a.user, Project: a.project, Detail: "role " + a.role + " revoked"})
	return true
}

func (c *Cloud) applies(a assignment, p *project) bool {
	return a.project == p.ID || a.domain != "" && a.domain == p.Domain
}

// rolesIn lists the effective roles of a user in a project, inherited and implied ones included.
func (c *Cloud) rolesIn(userID, projectID string) []string {
	p := c.projects[projectID]
	if p == nil {
		return nil
	}
	var out []string
	for _, a := range c.assignments {
		if !c.holds(a, userID) || !c.applies(a, p) {
			continue
		}
		for _, name := range c.implied(a.role) {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// hasAdminAnywhere replaces the check of a system role: this cloud gives one to every user who is admin somewhere.
func (c *Cloud) hasAdminAnywhere(userID string) bool {
	return slices.ContainsFunc(c.assignments, func(a assignment) bool { return c.holds(a, userID) && a.role == "admin" })
}

func (c *Cloud) role(name string) *role {
	for _, r := range c.roles {
		if r.Name == name || r.ID == name {
			return r
		}
	}
	return nil
}

func (c *Cloud) domainID(ref domainRef) string {
	for _, d := range c.domains {
		if d.ID == ref.ID || ref.ID == "" && d.Name == ref.Name {
			return d.ID
		}
	}
	return ""
}

func (c *Cloud) userByName(id, name string, ref domainRef) *user {
	if id != "" {
		return c.users[id]
	}
	d := c.domainID(ref)
	for _, u := range c.users {
		if u.Name == name && u.Domain == d {
			return u
		}
	}
	return nil
}

func (c *Cloud) projectByName(name string, ref domainRef) *project {
	d := c.domainID(ref)
	for _, p := range c.projects {
		if p.Name == name && p.Domain == d {
			return p
		}
	}
	return nil
}
