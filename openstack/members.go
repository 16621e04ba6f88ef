package openstack

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"staffeln/backup"
)

type userJSON struct {
	ID, Name, Email string
	Enabled         bool
}

// Members returns, by project, the enabled users that have an e-mail address
// and a role there: directly, through a group, or inherited; each once, without
// our own user. Whether the address is one nobody has looked.
//
// Calls: one for all assignments and one for all users, however many projects
// there are. Where users of other domains are not in that list (each domain has
// a driver of its own), one for the domains and one for each.
func (c *Cloud) Members(ctx context.Context) (map[string][]backup.Member, error) {
	roles, err := c.roleHolders(ctx)
	if err != nil {
		return nil, err
	}
	users, err := c.users(ctx, "")
	if err != nil {
		return nil, err
	}
	if lacks(users, roles) {
		if err := c.usersByDomain(ctx, users); err != nil {
			return nil, err
		}
	}
	members := make(map[string][]backup.Member, len(roles))
	for project, holders := range roles {
		for id := range holders {
			u := users[id]
			if u.Enabled && u.Email != "" && id != c.userID {
				members[project] = append(members[project], backup.Member{UserID: id, Name: u.Name, Email: u.Email})
			}
		}
		slices.SortFunc(members[project], func(a, b backup.Member) int { return cmp.Compare(a.UserID, b.UserID) })
	}
	return members, nil
}

// roleHolders lists the users that have some role, by project. Keystone works
// out what comes of groups, inheritance and implied roles.
func (c *Cloud) roleHolders(ctx context.Context) (map[string]map[string]bool, error) {
	r := request{
		op: "list role assignments", object: "of all projects", method: http.MethodGet,
		url: c.admin.identity + "/role_assignments?effective=true",
	}
	holders := map[string]map[string]bool{}
	r.decode = func(body []byte) error {
		var said struct {
			Assignments []struct {
				User  struct{ ID string }
				Scope struct{ Project struct{ ID string } }
			} `json:"role_assignments"`
		}
		if err := json.Unmarshal(body, &said); err != nil {
			return err
		}
		clear(holders)
		for _, a := range said.Assignments {
			project := a.Scope.Project.ID
			if project == "" || a.User.ID == "" { // of a domain, or of the whole system
				continue
			}
			if holders[project] == nil {
				holders[project] = map[string]bool{}
			}
			holders[project][a.User.ID] = true
		}
		return nil
	}
	if err := c.doWhole(ctx, r); err != nil {
		return nil, err
	}
	return holders, nil
}

// users lists those of one domain; for the empty ID those that Keystone lists
// without one.
func (c *Cloud) users(ctx context.Context, domain string) (map[string]userJSON, error) {
	r := request{op: "list users", object: "of all domains", method: http.MethodGet, url: c.admin.identity + "/users"}
	if domain != "" {
		r.object, r.url = "of domain "+domain, r.url+"?domain_id="+url.QueryEscape(domain)
	}
	users := map[string]userJSON{}
	r.decode = func(body []byte) error {
		p, err := decodePage[userJSON](body, "users")
		clear(users)
		for _, u := range p.items {
			users[u.ID] = u
		}
		return err
	}
	if err := c.doWhole(ctx, r); err != nil {
		return nil, err
	}
	return users, nil
}

// doWhole reads a list of Keystone, or refuses one that is only a part: with a
// list_limit it is cut, and newer ones may name a next page.
func (c *Cloud) doWhole(ctx context.Context, r request) error {
	cut, decode := false, r.decode
	r.decode = func(body []byte) error {
		var said struct {
			Truncated bool
			Links     struct{ Next *string }
		}
		if err := json.Unmarshal(body, &said); err != nil {
			return err
		}
		cut = said.Truncated || said.Links.Next != nil
		return decode(body)
	}
	if err := c.do(ctx, c.admin, r); err != nil {
		return err
	}
	if cut {
		return r.refuse(c.admin.projectID, backup.MeansRefused, "Keystone gives only a part of the list: raise or unset list_limit in keystone.conf")
	}
	return nil
}

func lacks(users map[string]userJSON, roles map[string]map[string]bool) bool {
	for _, holders := range roles {
		for id := range holders {
			if _, known := users[id]; !known {
				return true
			}
		}
	}
	return false
}

// usersByDomain adds the users of each domain. Whom no domain knows holds a
// role of nobody: Keystone keeps the assignments of users that LDAP forgot.
func (c *Cloud) usersByDomain(ctx context.Context, users map[string]userJSON) error {
	r := request{op: "list domains", object: "of the cloud", method: http.MethodGet, url: c.admin.identity + "/domains"}
	var domains []struct{ ID string }
	r.decode = func(body []byte) error {
		p, err := decodePage[struct{ ID string }](body, "domains")
		domains = p.items
		return err
	}
	if err := c.doWhole(ctx, r); err != nil {
		return err
	}
	for _, d := range domains {
		of, err := c.users(ctx, d.ID)
		if err != nil {
			return err
		}
		maps.Copy(users, of)
	}
	return nil
}
