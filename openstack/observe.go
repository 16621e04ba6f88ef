package openstack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"golang.org/x/sync/errgroup"

	"staffeln/backup"
)

// VerifyAdmin asks Keystone for the present roles of our token in the admin project. It returns an error that means
// [backup.MeansNotAdmin] if `admin` is missing. After an endpoint moved it returns, once, an error that means unavailable: objects that
// were not found before may have been requested at the wrong endpoint.
func (c *Cloud) VerifyAdmin(ctx context.Context) error {
	if err := c.verifyAdmin(ctx); err != nil {
		return err
	}
	if !c.catalog.unchangedSinceCheck() {
		return request{op: "verify admin role", object: "of our token"}.refuse(c.admin.projectID, backup.MeansUnavailable,
			"the endpoint of a service moved meanwhile: what was not found before may be there")
	}
	return nil
}

func (c *Cloud) verifyAdmin(ctx context.Context) error {
	t, err := c.admin.token()
	if err != nil {
		return fmt.Errorf("verify admin role: %w", err)
	}
	r := request{op: "verify admin role", object: "of user " + t.userID, method: http.MethodGet, path: "/auth/tokens"}
	var response struct {
		Token struct {
			Roles   []struct{ Name string }
			Catalog []tokens.CatalogEntry
		}
	}
	r.decode = func(body []byte) error { return json.Unmarshal(body, &response) }
	r.headers = map[string]string{"X-Subject-Token": t.id}
	err = c.do(ctx, c.admin, r)
	if fresh, ferr := c.admin.token(); ferr == nil && fresh.id != t.id {
		// The token was renewed meanwhile; the new one has the present roles.
		return c.requireAdmin(ctx, r)
	}
	if err != nil {
		return err
	}
	if c.movedBy(response.Token.Catalog) {
		c.rereadAdmin(ctx, keystone, false)
	}
	now := token{}
	for _, role := range response.Token.Roles {
		now.roles = append(now.roles, role.Name)
	}
	if !now.hasRole(adminRole) {
		return c.notAdminError(r, now.roles)
	}
	return nil
}

// Observe reads the whole cloud: all projects, servers and volumes, without Cinder's own volumes (temporary copies, targets
// of migrations). It verifies the admin role first, because without it Cinder silently shows only one project.
//
// If a list fails, also because ctx ended, the items read so far are kept and an entry is added to Unseen. The error is not
// nil only if nothing at all could be read or the role is missing ([backup.MeansNotAdmin]).
//
// Calls: one for the role, one for the projects, and one for each page of 1,000 servers or volumes (and one more, empty,
// after a last page that is exactly full).
func (c *Cloud) Observe(ctx context.Context) (backup.Inventory, error) {
	var seen backup.Inventory
	c.catalog.unchangedSinceCheck() // sets the baseline: nothing was read before
	if err := c.verifyAdmin(ctx); backup.Means(err, backup.MeansUnavailable) || backup.Means(err, backup.MeansThrottled) {
		// Keystone is down, but Nova and Cinder may still respond. An object in their lists exists; a missing one may exist too.
		seen.Unseen = append(seen.Unseen, "roles: "+err.Error())
		if err := c.requireAdmin(ctx, request{op: "verify admin role", object: "of the last token"}); err != nil {
			return backup.Inventory{}, err
		}
	} else if err != nil {
		return backup.Inventory{}, err
	}
	lists := []struct {
		name string
		read func() error
	}{
		{"projects", func() (err error) { seen.Projects, err = c.allProjects(ctx); return err }},
		{"servers", func() (err error) { seen.Servers, err = c.serversBy(ctx, url.Values{}); return err }},
		{"volumes", func() (err error) { seen.Volumes, err = c.volumesBy(ctx, url.Values{}); return err }},
	}
	faults := make([]error, len(lists))
	var group errgroup.Group
	if c.inTurn {
		group.SetLimit(1)
	}
	for i, l := range lists {
		group.Go(func() error { faults[i] = l.read(); return nil }) // an error of one list does not end the others
	}
	_ = group.Wait()
	if len(seen.Projects)+len(seen.Servers)+len(seen.Volumes) == 0 {
		if err := errors.Join(faults...); err != nil {
			return backup.Inventory{}, fmt.Errorf("observe cloud: %w", err)
		}
	}
	for i, err := range faults {
		if err != nil {
			seen.Unseen = append(seen.Unseen, lists[i].name+": "+err.Error())
		}
	}
	return seen, nil
}

type projectJSON struct {
	ID, Name string
	DomainID string `json:"domain_id"`
	Enabled  bool
}
