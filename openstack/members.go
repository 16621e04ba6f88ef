package openstack

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"

	"golang.org/x/sync/errgroup"

	"staffeln/backup"
)

type userJSON struct {
	ID, Name, Email string
	Enabled         bool
}

// usersByID is the largest number of users of a project that are read one by one; for more, the whole list is read first.
// usersInParallel is how many are read at the same time.
const (
	usersByID       = 50
	usersInParallel = 8
)

// Members returns the enabled users that have an e-mail address and a role in the project: directly, through a group, or
// inherited. Each user comes once; our own user is left out. The address is not validated.
//
// Calls: one for the project's assignments (the assignments of all projects take Keystone minutes in a large cloud), and one
// for each user that is not cached. For many users, the pages of the list of all users are read instead.
func (c *Cloud) Members(ctx context.Context, projectID string) ([]backup.Member, error) {
	ids, err := c.roleHolders(ctx, projectID)
	if err != nil {
		return nil, err
	}
	users, err := c.usersOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var members []backup.Member
	for _, id := range ids {
		if u := users[id]; u.Enabled && u.Email != "" && id != c.userID {
			members = append(members, backup.Member{UserID: id, Name: u.Name, Email: u.Email})
		}
	}
	slices.SortFunc(members, func(a, b backup.Member) int { return cmp.Compare(a.UserID, b.UserID) })
	return members, nil
}

// roleHolders lists the users that have any role in the project, each once. Keystone resolves groups, inheritance and
// implied roles.
func (c *Cloud) roleHolders(ctx context.Context, projectID string) ([]string, error) {
	query := url.Values{"scope.project.id": {projectID}, "effective": {"true"}}
	r := request{
		op: "list role assignments", object: "of project " + projectID, id: projectID, method: http.MethodGet,
		path: "/role_assignments?" + query.Encode(),
	}
	var ids []string
	part := false
	r.decode = func(body []byte) error {
		var response struct {
			Assignments []struct {
				User  struct{ ID string }
				Scope struct{ Project struct{ ID string } }
			} `json:"role_assignments"`
		}
		err := json.Unmarshal(body, &response)
		if err != nil {
			return err
		}
		ids = ids[:0]
		for _, a := range response.Assignments {
			if a.User.ID != "" && a.Scope.Project.ID == projectID { // otherwise the scope is a domain, or Keystone does not know the filter
				ids = append(ids, a.User.ID)
			}
		}
		part, err = isPart(body)
		return err
	}
	if err := c.do(ctx, c.admin, r); err != nil {
		return nil, err
	}
	if part {
		return nil, r.refuse(c.admin.projectID, backup.MeansRefused, "Keystone returns only a part of the list: raise or unset list_limit in keystone.conf")
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// usersOf returns the users with these IDs. A user that Keystone no longer knows has no name and no address: Keystone keeps
// the role assignments of users that were removed from LDAP.
func (c *Cloud) usersOf(ctx context.Context, ids []string) (map[string]userJSON, error) {
	now := c.clock.now()
	users, missing := c.users.lookup(now, ids)
	if len(missing) > usersByID {
		wanted := make(map[string]bool, len(missing))
		for _, id := range missing {
			wanted[id] = true
		}
		r := request{op: "list users", object: "of all domains", method: http.MethodGet, path: "/users"}
		err := eachKeystone(ctx, c, r, "users", func(u userJSON) string { return u.ID }, func(u userJSON) {
			if wanted[u.ID] {
				users[u.ID] = u
			}
		})
		if err != nil {
			return nil, err
		}
		// the rest belongs to domains whose users no list contains
		missing = slices.DeleteFunc(missing, func(id string) bool { _, listed := users[id]; return listed })
	}
	read := make([]userJSON, len(missing))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(usersInParallel)
	if c.inTurn {
		group.SetLimit(1)
	}
	for i, id := range missing {
		group.Go(func() (err error) { read[i], err = c.user(ctx, id); return err })
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, u := range read {
		users[u.ID] = u
	}
	c.users.keep(now, users)
	return users, nil
}

// user reads one user. For a user that Keystone does not know it returns only the ID.
func (c *Cloud) user(ctx context.Context, id string) (userJSON, error) {
	r := request{op: "read user", object: id, id: id, method: http.MethodGet, path: "/users/" + url.PathEscape(id)}
	u, err := readOne(ctx, c, c.admin, r, "user", func(u userJSON) string { return u.ID })
	if backup.Means(err, backup.MeansNotFound) {
		return userJSON{ID: id}, nil
	}
	return u, err
}
