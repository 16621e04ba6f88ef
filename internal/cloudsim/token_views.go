package cloudsim

import (
	"net/http"
)

type nameView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type scopedName struct {
	Domain *nameView `json:"domain,omitempty"`
	ID     string    `json:"id"`
	Name   string    `json:"name,omitempty"`
}

type tokenUser struct {
	Domain   nameView `json:"domain"`
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Password *string  `json:"password_expires_at"`
}

type tokenView struct {
	Methods   []string        `json:"methods"`
	User      tokenUser       `json:"user"`
	AuditIDs  []string        `json:"audit_ids"`
	ExpiresAt string          `json:"expires_at"`
	IssuedAt  string          `json:"issued_at"`
	Project   *scopedName     `json:"project,omitempty"`
	IsDomain  *bool           `json:"is_domain,omitempty"`
	System    map[string]bool `json:"system,omitempty"`
	Roles     []nameView      `json:"roles,omitempty"`
	Catalog   []catalogEntry  `json:"catalog,omitempty"`
}

func (c *Cloud) tokenView(t *token, q *call) tokenView {
	u := c.users[t.user]
	v := tokenView{
		Methods: t.methods, AuditIDs: t.audit,
		User:      tokenUser{Domain: c.domainView(u.Domain), ID: u.ID, Name: u.Name},
		ExpiresAt: t.expires.UTC().Format(keystoneTime), IssuedAt: t.issued.UTC().Format(keystoneTime),
	}
	for _, name := range c.rolesOf(t) {
		v.Roles = append(v.Roles, nameView{c.role(name).ID, name})
	}
	switch {
	case t.project != "":
		p, no := c.projects[t.project], false
		d := c.domainView(p.Domain)
		v.Project, v.IsDomain = &scopedName{Domain: &d, ID: p.ID, Name: p.Name}, &no
	case t.system:
		v.System = map[string]bool{"all": true}
	default:
		return v
	}
	if !q.query.Has("nocatalog") { // with any value
		v.Catalog = c.catalog(q.base, t.project)
	}
	return v
}

func (c *Cloud) domainView(id string) nameView { return nameView{id, c.domains[id].Name} }

// subject finds the token of X-Subject-Token. Only admins may read another user's token.
func (c *Cloud) subject(q *call, rule string) (*token, response, bool) {
	t := c.tokens[q.header.Get("X-Subject-Token")]
	if t == nil || !c.valid(t) {
		return nil, keystoneFault(http.StatusNotFound, "Could not recognize Fernet token"), false
	}
	if t.user != q.tok.user && !q.admin {
		return nil, keystoneNotAllowed(rule), false
	}
	return t, response{}, true
}

// validateToken handles GET and HEAD /v3/auth/tokens.
func validateToken(c *Cloud, q *call) response {
	t, a, ok := c.subject(q, "identity:validate_token")
	if !ok {
		return a
	}
	return response{
		status: http.StatusOK,
		header: http.Header{"X-Subject-Token": {t.ID}},
		body:   map[string]any{"token": c.tokenView(t, q)},
	}
}

// revokeToken handles DELETE /v3/auth/tokens.
func revokeToken(c *Cloud, q *call) response {
	t, a, ok := c.subject(q, "identity:revoke_token")
	if !ok {
		return a
	}
	delete(c.tokens, t.ID)
	return response{status: http.StatusNoContent}
}
