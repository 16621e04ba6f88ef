package openstack

import (
	"context"
	"net/http"
	"net/url"
	"regexp"

	"staffeln/backup"
)

// Found is what an ID or a name means in the cloud now: servers with their volumes, and volumes with their servers.
type Found struct {
	Servers []backup.Server
	Volumes []backup.Volume
}

var wholeID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// FindVolumes returns the volumes of all projects that have this ID or name, and the servers that they are attached to.
func (c *Cloud) FindVolumes(ctx context.Context, idOrName string) (f Found, err error) {
	if err := c.verifyAdmin(ctx); err != nil {
		return f, err
	}
	if !wholeID.MatchString(idOrName) {
		f.Volumes, err = c.volumesBy(ctx, url.Values{"name": {idOrName}})
	} else {
		err = addFound(&f.Volumes)(c.AnyVolume(ctx, idOrName))
	}
	for _, v := range f.Volumes {
		for _, id := range v.Servers {
			if err == nil {
				err = addFound(&f.Servers)(c.Server(ctx, id))
			}
		}
	}
	return f, err
}

// FindServers returns the servers of all projects that have this ID or name, and the volumes that are attached to them.
func (c *Cloud) FindServers(ctx context.Context, idOrName string) (f Found, err error) {
	if err := c.verifyAdmin(ctx); err != nil {
		return f, err
	}
	if !wholeID.MatchString(idOrName) {
		f.Servers, err = c.serversNamed(ctx, idOrName)
	} else {
		err = addFound(&f.Servers)(c.Server(ctx, idOrName))
	}
	for _, s := range f.Servers {
		for _, id := range s.Volumes {
			if err == nil {
				err = addFound(&f.Volumes)(c.AnyVolume(ctx, id))
			}
		}
	}
	return f, err
}

// addFound returns a function that appends an object unless it does not exist.
func addFound[T any](to *[]T) func(T, error) error {
	return func(one T, err error) error {
		if backup.Means(err, backup.MeansNotFound) {
			return nil
		}
		if err == nil {
			*to = append(*to, one)
		}
		return err
	}
}

// serversNamed lists the servers with exactly this name. Nova's filter is a regular expression, or a part of the name.
func (c *Cloud) serversNamed(ctx context.Context, name string) ([]backup.Server, error) {
	listed, err := c.serversBy(ctx, url.Values{"name": {"^" + regexp.QuoteMeta(name) + "$"}})
	var exact []backup.Server
	for _, s := range listed {
		if s.Name == name {
			exact = append(exact, s)
		}
	}
	return exact, err
}

// serversBy lists the servers of all projects that a filter admits, at Nova's oldest microversion (2.1), which has all that we
// need. It sorts by ID because Nova's default order is newest first: new servers would shift the pages.
func (c *Cloud) serversBy(ctx context.Context, filter url.Values) ([]backup.Server, error) {
	var all []backup.Server
	base := request{op: "list servers", object: "of all projects", method: http.MethodGet, service: nova, path: "/servers/detail"}
	filter.Set("all_tenants", "1")
	filter.Set("sort_key", "uuid")
	filter.Set("sort_dir", "asc")
	err := walk(ctx, c, c.admin, base, listing[serverJSON]{
		key: "servers", query: filter,
		id: func(s serverJSON) string { return s.ID },
	}, func(items []serverJSON) error {
		for _, s := range items {
			all = append(all, s.server())
		}
		return nil
	})
	return all, err
}

// volumesBy lists the volumes of all projects that a filter admits, except Cinder's own: temporary copies and targets of
// migrations.
func (c *Cloud) volumesBy(ctx context.Context, filter url.Values) ([]backup.Volume, error) {
	var all []backup.Volume
	base := request{op: "list volumes", object: "of all projects", method: http.MethodGet, service: cinder, path: "/volumes/detail"}
	filter.Set("all_tenants", "1")
	filter.Set("sort", "created_at:asc")
	err := walk(ctx, c, c.admin, base, listing[volumeJSON]{
		key: "volumes", query: filter,
		id: func(v volumeJSON) string { return v.ID },
	}, func(items []volumeJSON) error {
		for _, v := range items {
			if !v.temporary() && !v.target() {
				all = append(all, v.volume())
			}
		}
		return nil
	})
	return all, err
}
