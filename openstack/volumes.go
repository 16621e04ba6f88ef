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
	MigrationAdmin string `json:"os-vol-mig-status-attr:migstat"` // the same, told to admins
}

func (v volumeJSON) volume() backup.Volume {
	w := backup.Volume{
		ID: v.ID, Name: v.Name, ProjectID: v.ProjectID, Status: v.Status,
		Zone: v.Zone, SizeGiB: v.Size, Encrypted: v.Encrypted,
	}
	switch m := v.migration(); m {
	case "none", "success", "error": // over
	default:
		w.Migration = m
	}
	for _, a := range v.Attachments {
		if a.ServerID != "" { // attached to a host, not to a server
			w.Servers = append(w.Servers, strings.ToLower(a.ServerID))
		}
	}
	return w
}

// A volume that is in use is backed up through a temporary copy of this name,
// which shows up in lists while the backup runs (cinder/volume/manager.py). A
// tenant's own volume of such a name is attached to something.
var temporaryName = regexp.MustCompile(`^backup-vol-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (v volumeJSON) temporary() bool {
	return len(v.Attachments) == 0 && temporaryName.MatchString(v.Name)
}

func (v volumeJSON) migration() string { return cmp.Or(v.Migration, v.MigrationAdmin) }

// target reports whether v is what another volume is being migrated to: it has
// that one's name and server, and goes when the migration ends.
func (v volumeJSON) target() bool {
	return strings.HasPrefix(v.Migration, "target:") || strings.HasPrefix(v.MigrationAdmin, "target:")
}

// Volume reads one volume with a token of that project. Its ProjectID is where
// it belongs now: a volume can be transferred.
func (c *Cloud) Volume(ctx context.Context, projectID, volumeID string) (backup.Volume, error) {
	what := request{op: "read volume", object: volumeID, id: volumeID}
	s, r, err := c.ask(ctx, what, projectID, http.MethodGet, "/volumes/"+url.PathEscape(volumeID))
	if err != nil {
		return backup.Volume{}, err
	}
	v, err := c.readVolume(ctx, s, r)
	if err == nil && v.ProjectID == "" { // told to admins only; everybody else sees their own project's
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

// ask prepares a request to Cinder in the scope of a project: what says what is
// asked, and of which object.
func (c *Cloud) ask(ctx context.Context, what request, projectID, method, path string) (*scope, request, error) {
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
