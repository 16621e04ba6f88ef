package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"staffeln/backup"
)

// eachKeystone passes all items of one of Keystone's lists to each. base is the request without limit and marker.
//
// Keystone 27 (2025.1) and newer truncate their lists silently unless a limit is given; with a limit they support a marker.
// Older releases ignore both and return the whole list. So each list is requested with both until no new item comes. A list
// that is marked as truncated and can't be continued is an error.
func eachKeystone[T any](ctx context.Context, c *Cloud, base request, key string, id func(T) string, each func(T)) error {
	seen := map[string]bool{}
	var last []string // IDs of the newest page, in order
	for {
		p, err := keystonePage[T](ctx, c, base, key, last)
		if err != nil {
			return err
		}
		var fresh []string
		for _, item := range p.items {
			if one := id(item); !seen[one] {
				seen[one] = true
				fresh = append(fresh, one)
				each(item)
			}
		}
		switch {
		case len(fresh) == 0 && p.more && len(p.items) > 0:
			return base.refuse(c.admin.projectID, backup.MeansRefused, "Keystone returns only a part of the list: raise or unset list_limit in keystone.conf")
		case len(fresh) == 0:
			if len(p.items) > 0 {
				c.keystoneUnpaged.Store(true) // the list repeats itself: Keystone ignores the marker
			}
			return nil
		case !p.more && c.keystoneUnpaged.Load():
			return nil
		}
		last = fresh
	}
}

// keystonePage reads the page after the last of these items. If Keystone does not know that item any more (it was deleted
// meanwhile), the item before it is the marker.
func keystonePage[T any](ctx context.Context, c *Cloud, base request, key string, last []string) (page[T], error) {
	for marker := len(last) - 1; ; marker-- {
		r := base
		query := url.Values{"limit": {strconv.Itoa(fullPage)}}
		if marker >= 0 {
			query.Set("marker", last[marker])
			r.id = last[marker]
		}
		joint := "?"
		if strings.Contains(r.path, "?") {
			joint = "&"
		}
		r.path += joint + query.Encode()
		var p page[T]
		r.decode = func(body []byte) (err error) {
			if p, err = decodePage[T](body, key); err == nil {
				p.more, err = isPart(body)
			}
			return err
		}
		err := c.do(ctx, c.admin, r)
		if err != nil && marker > 0 && markerGone(err, r.id) {
			continue
		}
		return p, err
	}
}

// isPart reports whether Keystone marks the list as truncated.
func isPart(body []byte) (bool, error) {
	var response struct {
		Truncated bool
		Links     struct{ Next *string }
	}
	err := json.Unmarshal(body, &response)
	return response.Truncated || response.Links.Next != nil, err
}

// projects lists all projects.
func (c *Cloud) projects(ctx context.Context) ([]backup.Project, error) {
	r := request{op: "list projects", object: "of all domains", method: http.MethodGet, path: "/projects"}
	var all []backup.Project
	err := eachKeystone(ctx, c, r, "projects", func(p projectJSON) string { return p.ID }, func(p projectJSON) { all = append(all, backup.Project(p)) })
	return all, err
}

// allProjects lists all projects. It returns an error if even our own project is missing.
func (c *Cloud) allProjects(ctx context.Context) ([]backup.Project, error) {
	all, err := c.projects(ctx)
	if err == nil && !slices.ContainsFunc(all, func(p backup.Project) bool { return p.ID == c.admin.projectID }) {
		err = fmt.Errorf("list projects: Keystone lists %d, and not even our own, %s", len(all), c.admin.projectID)
	}
	return all, err
}
