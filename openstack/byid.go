package openstack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"staffeln/backup"
)

// Server, AnyVolume, AnyBackup and ProjectGone check by ID, as the admin, objects that are missing from the lists. Each is
// one call without retries: without a clear response the object remains unknown until the next check.
//
// Without the admin role Nova and Cinder return "not found" for the objects of all other projects. So "not found" proves
// that an object is gone only between two successful calls of [Cloud.VerifyAdmin]. The caller makes these two calls, once
// for many objects.

// Server reads a server of any project.
func (c *Cloud) Server(ctx context.Context, serverID string) (backup.Server, error) {
	r, err := c.byID(ctx, request{op: "read server", id: serverID, service: nova, path: "/servers/"})
	if err != nil {
		return backup.Server{}, err
	}
	s, err := readOne(ctx, c, c.admin, r, "server", func(s serverJSON) string { return s.ID })
	if err != nil {
		return backup.Server{}, err
	}
	return s.server(), nil
}

// AnyVolume reads a volume of any project.
func (c *Cloud) AnyVolume(ctx context.Context, volumeID string) (backup.Volume, error) {
	r, err := c.byID(ctx, request{op: "read volume", id: volumeID, service: cinder, path: "/volumes/"})
	if err != nil {
		return backup.Volume{}, err
	}
	return c.readVolume(ctx, c.admin, r)
}

// AnyBackup reads a backup of any project.
func (c *Cloud) AnyBackup(ctx context.Context, backupID string) (backup.Backup, error) {
	r, err := c.byID(ctx, request{op: "read backup", id: backupID, service: cinder, path: "/backups/"})
	if err != nil {
		return backup.Backup{}, err
	}
	return c.readBackup(ctx, c.admin, r)
}

// ProjectGone reports whether Keystone has no project with this ID.
func (c *Cloud) ProjectGone(ctx context.Context, projectID string) (bool, error) {
	r, err := c.byID(ctx, request{op: "read project", id: projectID, path: "/projects/"})
	if err != nil {
		return false, err
	}
	_, err = c.readProject(ctx, r)
	if backup.Means(err, backup.MeansNotFound) {
		return true, nil
	}
	return false, err
}

// byID completes a request for one object of any project. r.path is the path of the collection.
func (c *Cloud) byID(ctx context.Context, r request) (request, error) {
	r.object, r.method, r.path, r.once = r.id, http.MethodGet, r.path+url.PathEscape(r.id), true
	if r.id == "" {
		return r, r.refuse(c.admin.projectID, backup.MeansRefused, "want an ID")
	}
	return r, c.requireAdmin(ctx, r)
}

func (c *Cloud) readProject(ctx context.Context, r request) (projectJSON, error) {
	return readOne(ctx, c, c.admin, r, "project", func(p projectJSON) string { return p.ID })
}

// readOne reads the object that r requests. In the response the object is under key. A response about another object is an
// error.
func readOne[T any](ctx context.Context, c *Cloud, s *scope, r request, key string, id func(T) string) (one T, err error) {
	r.decode = func(body []byte) error {
		var response map[string]json.RawMessage
		if err := json.Unmarshal(body, &response); err != nil {
			return err
		}
		one = *new(T) // clears what an earlier attempt decoded
		if err := json.Unmarshal(response[key], &one); err != nil {
			return fmt.Errorf("read %s: %w", key, err)
		}
		if got := id(one); !strings.EqualFold(got, r.id) {
			return fmt.Errorf("the response is about %s %q", key, got)
		}
		return nil
	}
	err = c.do(ctx, s, r)
	return one, err
}
