package cloudsim

import "slices"

// mustFind returns the object that a call of the Go API names. An unknown ID is an error in the test.
func mustFind[T any](set map[string]*T, kind, id string) *T {
	v := set[id]
	if v == nil {
		panic("cloudsim: no " + kind + " " + id)
	}
	return v
}

// AddDomain makes another domain and returns its ID.
func (c *Cloud) AddDomain(name string) string {
	c.lock()
	defer c.mu.Unlock()
	d := &domain{c.ids.hex(), name}
	c.domains[d.ID] = d
	return d.ID
}

// AddProject makes a project in the domain Default and returns its ID.
func (c *Cloud) AddProject(name string) string { return c.AddProjectIn("default", name) }

// AddProjectIn makes a project in a domain and returns its ID.
func (c *Cloud) AddProjectIn(domainID, name string) string {
	c.lock()
	defer c.mu.Unlock()
	return c.addProject(mustFind(c.domains, "domain", domainID).ID, name).ID
}

// DisableProject disables a project: its tokens are refused from now on, and no new ones are issued.
func (c *Cloud) DisableProject(id string) { c.enableProject(id, false) }

// LimitLists sets Keystone's list_limit: longer lists are truncated; 0 is no limit.
func (c *Cloud) LimitLists(most int) {
	c.lock()
	defer c.mu.Unlock()
	c.listLimit = most
}

// EnableProject reverts DisableProject.
func (c *Cloud) EnableProject(id string) { c.enableProject(id, true) }

func (c *Cloud) enableProject(id string, enabled bool) {
	c.lock()
	defer c.mu.Unlock()
	mustFind(c.projects, "project", id).Enabled = enabled
	c.note(Event{Kind: IdentityChanged, Project: id, Detail: "enabled: " + boolText(enabled)})
}

// DeleteProject deletes the project from Keystone. Its servers, volumes, backups and secrets remain.
func (c *Cloud) DeleteProject(id string) {
	c.lock()
	defer c.mu.Unlock()
	c.removeProject(mustFind(c.projects, "project", id))
}

// AddUser makes a user in the domain Default and returns its ID.
func (c *Cloud) AddUser(name, password, email string) string {
	c.lock()
	defer c.mu.Unlock()
	return c.addUser("default", name, password, email).ID
}

// DeleteUser deletes a user with the user's roles and tokens.
func (c *Cloud) DeleteUser(id string) {
	c.lock()
	defer c.mu.Unlock()
	c.removeUser(mustFind(c.users, "user", id))
}

// SetPassword changes a password and revokes the user's tokens.
func (c *Cloud) SetPassword(userID, password string) {
	c.lock()
	defer c.mu.Unlock()
	mustFind(c.users, "user", userID).password = password
	c.revokeTokensOf(userID)
}

// RevokeTokens revokes all tokens of a user; the password remains valid.
func (c *Cloud) RevokeTokens(userID string) {
	c.lock()
	defer c.mu.Unlock()
	c.revokeTokensOf(userID)
}

// AddRole makes another role.
func (c *Cloud) AddRole(name string) {
	c.lock()
	defer c.mu.Unlock()
	c.roles = append(c.roles, &role{c.ids.hex(), name})
}

func (c *Cloud) roleNamed(name string) string {
	i := slices.IndexFunc(c.roles, func(r *role) bool { return r.Name == name })
	if i < 0 {
		panic("cloudsim: no role " + name)
	}
	return name
}

// Grant gives a user a role, by its name, in one project.
func (c *Cloud) Grant(userID, projectID, roleName string) {
	c.lock()
	defer c.mu.Unlock()
	c.grant(assignment{user: mustFind(c.users, "user", userID).ID, project: mustFind(c.projects, "project", projectID).ID, role: c.roleNamed(roleName)})
}

// Revoke revokes a role in one project. Roles that are inherited from a domain remain.
func (c *Cloud) Revoke(userID, projectID, roleName string) {
	c.lock()
	defer c.mu.Unlock()
	c.ungrant(assignment{user: userID, project: projectID, role: c.roleNamed(roleName)})
}

// GrantInherited gives a user a role in every present and future project of a domain.
func (c *Cloud) GrantInherited(userID, domainID, roleName string) {
	c.lock()
	defer c.mu.Unlock()
	c.grant(assignment{user: mustFind(c.users, "user", userID).ID, domain: mustFind(c.domains, "domain", domainID).ID, role: c.roleNamed(roleName)})
}

// RevokeInherited revokes a role that GrantInherited gave.
func (c *Cloud) RevokeInherited(userID, domainID, roleName string) {
	c.lock()
	defer c.mu.Unlock()
	c.ungrant(assignment{user: userID, domain: domainID, role: c.roleNamed(roleName)})
}

// SetSecretRights sets whether a user may use a project's secrets, regardless of the roles and of the token's project. It
// represents an operator's own policy for Barbican.
func (c *Cloud) SetSecretRights(userID, projectID string, allowed bool) {
	c.lock()
	defer c.mu.Unlock()
	c.rights[[2]string{userID, projectID}] = allowed
}

// SetQuota sets a project's limits of backups and their gigabytes; -1 is unlimited.
func (c *Cloud) SetQuota(projectID string, backups, gigabytes int) {
	c.lock()
	defer c.mu.Unlock()
	u := c.used(projectID)
	u.maxBackups, u.maxGigabytes = &backups, &gigabytes
	c.note(Event{Kind: IdentityChanged, Project: projectID, Detail: "quota updated"})
}
