package cloudsim

import (
	"maps"
	"net/http"
	"time"
)

type attachment struct {
	ID, Server, Device string
	At                 time.Time
}

type volume struct {
	ID, Name, Project, User, Status string
	Description                     string
	Size                            int // GiB
	Zone                            string
	Encrypted                       bool // of the type luks
	KeyID                           string
	Multiattach, Bootable           bool
	Metadata                        map[string]string
	Attachments                     []attachment
	Created, Updated                time.Time
	previous                        string // the status after the backup in progress
	temporary                       bool   // made by Cinder itself during a backup
	content                         int    // version of the content; grows with every write
	detachedStatus                  string // the status while a server has the volume without a connection
	migration                       string // migration_status
	target                          string // ID of the volume that it is being migrated to
	blocks                          []int
	failing                         string // why incrementals of it fail at their end
}

const (
	defaultZone = "nova"
	defaultType = "__DEFAULT__"
	luksType    = "luks"
)

func volumeRoutes() []route {
	r := func(method, path string, handle func(*Cloud, *call) response) route {
		return route{service: blockStorage, method: method, template: "/volume/v3/{project}" + path, handle: handle}
	}
	return []route{
		r(http.MethodGet, "/volumes", listVolumes(false)),
		r(http.MethodGet, "/volumes/detail", listVolumes(true)),
		r(http.MethodPost, "/volumes", createVolume),
		r(http.MethodGet, "/volumes/{volume}", showVolume),
		r(http.MethodDelete, "/volumes/{volume}", deleteVolume),
		r(http.MethodPost, "/volumes/{volume}/action", changeVolume),
		r(http.MethodGet, "/types", listTypes),
		r(http.MethodGet, "/os-quota-sets/{target}", showQuota),
		r(http.MethodPut, "/os-quota-sets/{target}", updateQuota),
		r(http.MethodGet, "/limits", showLimits),
		r(http.MethodGet, "/os-services", listServices),
		r(http.MethodGet, "/messages", listMessages),
	}
}

// setVolume changes a volume's status and its updated_at.
func (c *Cloud) setVolume(v *volume, status string) {
	v.Status, v.Updated = status, c.cinderSecond()
	c.volumes.touches++
	if !v.temporary {
		c.noteVolume(v, "status "+status)
	}
}

// visibleVolume returns the volume if the token may see it: admins see all volumes, others those of their project.
func (c *Cloud) visibleVolume(q *call, id string) *volume {
	v := c.volumes.byID[id]
	if v == nil || v.Project != q.tok.project && !q.admin {
		return nil
	}
	return v
}

func showVolume(c *Cloud, q *call) response {
	v := c.visibleVolume(q, q.vars["volume"])
	if v == nil {
		return volumeNotFound(q.vars["volume"])
	}
	return ok(map[string]any{"volume": c.viewVolume(q, v)})
}

type volumeInput struct {
	Size             *int              `json:"size"`
	Name             *string           `json:"name"`
	Description      *string           `json:"description"`
	VolumeType       *string           `json:"volume_type"`
	AvailabilityZone *string           `json:"availability_zone"`
	Metadata         map[string]string `json:"metadata"`
	Multiattach      bool              `json:"multiattach"`
}

func createVolume(c *Cloud, q *call) response {
	var in volumeInput
	if a, ok := q.decode("volume", &in); !ok {
		return a
	}
	if in.Size == nil || *in.Size <= 0 {
		return badRequest("Invalid input received: Invalid volume size provided for create request: None (size argument must be an integer (or string representation of an integer) and greater than zero).")
	}
	if q.tok.project == "" {
		return serverFault()
	}
	v := &volume{
		ID: c.ids.uuid(), Name: deref(in.Name), Description: deref(in.Description), Project: q.tok.project, User: q.tok.user,
		Status: "creating", Size: *in.Size, Zone: or(deref(in.AvailabilityZone), defaultZone), Multiattach: in.Multiattach,
		Metadata: maps.Clone(in.Metadata), Created: c.cinderSecond(),
	}
	switch t := or(deref(in.VolumeType), defaultType); t {
	case defaultType, defaultTypeID:
	case luksType, luksTypeID:
		if !c.mayUseSecrets(q.tok, q.tok.project) {
			return badRequest("Key manager error")
		}
		v.Encrypted, v.KeyID = true, c.newSecret(q.tok.project)
	default:
		return notFound("Volume type with name " + t + " could not be found.")
	}
	c.volumes.add(v)
	c.noteVolume(v, "created")
	c.after(c.opt.VolumeTime, func() {
		if v.Status == "creating" {
			c.setVolume(v, "available")
		}
	})
	view := c.viewVolume(q, v)
	view.Tenant, view.Host, view.Migstat, view.NameID = nil, nil, nil, nil
	return accepted(map[string]any{"volume": view})
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// deletable reports whether Cinder deletes a volume in this status.
func deletable(v *volume) bool {
	switch v.Status {
	case "available", "error", "error_restoring", "error_extending", "error_managing":
		return len(v.Attachments) == 0
	}
	return false
}

func deleteVolume(c *Cloud, q *call) response {
	v := c.visibleVolume(q, q.vars["volume"])
	switch {
	case v == nil:
		return volumeNotFound(q.vars["volume"])
	case !deletable(v):
		return badRequest("Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing " +
			"and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.")
	}
	c.setVolume(v, "deleting")
	c.after(c.opt.VolumeTime, func() { c.dropVolume(v) })
	return response{status: http.StatusAccepted}
}

// dropVolume deletes a volume. Its backups remain; its secret is deleted even if other volumes use it.
func (c *Cloud) dropVolume(v *volume) {
	if c.volumes.byID[v.ID] == nil {
		return
	}
	c.volumes.remove(v)
	if v.KeyID != "" && !v.temporary {
		c.dropSecret(v.KeyID, Event{Volume: v.ID, Project: v.Project})
	}
	if !v.temporary {
		c.note(Event{Kind: VolumeGone, Volume: v.ID, Project: v.Project})
	}
}
