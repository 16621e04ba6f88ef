package openstack

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"staffeln/backup"
)

type volumeJSON struct {
	ID, Name    string
	Status      string
	Size        int
	Encrypted   bool
	Zone        string `json:"availability_zone"`
	ProjectID   string `json:"os-vol-tenant-attr:tenant_id"`
	Attachments []struct {
		ServerID string `json:"server_id"`
	}
	Migration      string `json:"migration_status"`
	MigrationAdmin string `json:"os-vol-mig-status-attr:migstat"` // the same, for admins only
}

func (v volumeJSON) volume() backup.Volume {
	w := backup.Volume{
		ID: v.ID, Name: v.Name, ProjectID: v.ProjectID, Status: v.Status,
		Zone: v.Zone, SizeGiB: v.Size, Encrypted: v.Encrypted,
	}
	switch m := v.migration(); m {
	case "none", "success", "error": // finished
	default:
		w.Migration = m
	}
	for _, a := range v.Attachments {
		if a.ServerID != "" { // otherwise it is attached to a host, not to a server
			w.Servers = append(w.Servers, strings.ToLower(a.ServerID))
		}
	}
	return w
}

// Cinder backs up a volume in use through a temporary copy with such a name, which is in lists while the backup runs
// (cinder/volume/manager.py). A tenant's own volume with such a name counts as temporary only if nothing is attached.
var temporaryName = regexp.MustCompile(`^backup-vol-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (v volumeJSON) temporary() bool {
	return len(v.Attachments) == 0 && temporaryName.MatchString(v.Name)
}

func (v volumeJSON) migration() string { return cmp.Or(v.Migration, v.MigrationAdmin) }

// target reports whether v is the target of another volume's migration. It has that volume's name and server, and disappears
// when the migration ends.
func (v volumeJSON) target() bool {
	return strings.HasPrefix(v.Migration, "target:") || strings.HasPrefix(v.MigrationAdmin, "target:")
}

// Volume reads one volume with a token of projectID. Its ProjectID is its present project: a volume can be transferred.
func (c *Cloud) Volume(ctx context.Context, projectID, volumeID string) (backup.Volume, error) {
	what := request{op: "read volume", object: volumeID, id: volumeID}
	s, r, err := c.cinderRequest(ctx, what, projectID, http.MethodGet, "/volumes/"+url.PathEscape(volumeID))
	if err != nil {
		return backup.Volume{}, err
	}
	v, err := c.readVolume(ctx, s, r)
	if err == nil && v.ProjectID == "" { // Cinder shows it to admins only; other users see only volumes of their own project
		v.ProjectID = projectID
	}
	return v, err
}

func (c *Cloud) readVolume(ctx context.Context, s *scope, r request) (backup.Volume, error) {
	one, err := readOne(ctx, c, s, r, "volume", func(o volumeJSON) string { return o.ID })
	if err != nil {
		return backup.Volume{}, err
	}
	return one.volume(), nil
}

// cinderRequest prepares a request to Cinder in the scope of a project. what names the operation and the object.
func (c *Cloud) cinderRequest(ctx context.Context, what request, projectID, method, path string) (*scope, request, error) {
	if what.id == "" || projectID == "" {
		return nil, what, what.refuse(projectID, backup.MeansRefused, "want an ID and the ID of its project")
	}
	s, err := c.scope(ctx, projectID)
	if err != nil {
		return nil, what, err
	}
	what.method, what.service, what.path = method, cinder, path
	return s, what, nil
}
