package cloudsim

import (
	"encoding/json"
	"maps"
	"net/http"
	"time"
)

type backup struct {
	ID, Name, Description, Volume, Project, User string
	Status                                       string
	Size                                         int // GiB
	Objects                                      int
	Container, Zone, FailReason                  string
	Created, Updated, Data                       time.Time // by Cinder's clock
	requested                                    time.Time // by the cloud's clock
	Parent                                       string
	Metadata                                     map[string]string
	KeyID                                        string

	dependents int // Cinder's counter: children that became available, minus children deleted
	charged    int // GiB charged to the quota at the request
	content    int // version of the volume's content at the time of the data
	blocks     []int
	dataGone   bool
	volumeMeta map[string]string

	making, deleting, restoring *run
}

func backupRoutes() []route {
	r := func(method, path string, handle func(*Cloud, *call) response) route {
		return route{service: blockStorage, method: method, template: "/volume/v3/{project}/backups" + path, handle: handle}
	}
	return []route{
		r(http.MethodGet, "", listBackups(false)),
		r(http.MethodGet, "/detail", listBackups(true)),
		r(http.MethodPost, "", createBackup),
		r(http.MethodGet, "/{backup}", showBackup),
		r(http.MethodPut, "/{backup}", updateBackup),
		r(http.MethodDelete, "/{backup}", deleteBackup),
		r(http.MethodPost, "/{backup}/action", changeBackup),
		r(http.MethodPost, "/{backup}/restore", restoreBackup),
	}
}

// visibleBackup returns the backup if the token may see it: admins see all backups, others those of their project.
func (c *Cloud) visibleBackup(q *call) *backup {
	b := c.backups.byID[q.vars["backup"]]
	if b == nil || b.Project != q.tok.project && !q.admin {
		return nil
	}
	return b
}

func (c *Cloud) setBackup(b *backup, status string) {
	b.Status, b.Updated = status, c.cinderSecond()
	c.backups.touches++
}

type backupView struct {
	ID               string            `json:"id"`
	Status           string            `json:"status"`
	Size             int               `json:"size"`
	ObjectCount      int               `json:"object_count"`
	AvailabilityZone *string           `json:"availability_zone"`
	Container        *string           `json:"container"`
	CreatedAt        *string           `json:"created_at"`
	UpdatedAt        *string           `json:"updated_at"`
	Name             *string           `json:"name"`
	Description      *string           `json:"description"`
	FailReason       *string           `json:"fail_reason"`
	VolumeID         string            `json:"volume_id"`
	Links            []link            `json:"links"`
	Incremental      bool              `json:"is_incremental"`
	HasDependents    bool              `json:"has_dependent_backups"`
	SnapshotID       *string           `json:"snapshot_id"`
	DataTimestamp    *string           `json:"data_timestamp"`
	Metadata         map[string]string `json:"metadata,omitzero"`
	EncryptionKeyID  *string           `json:"encryption_key_id,omitempty"`
	ProjectID        *string           `json:"os-backup-project-attr:project_id,omitempty"`
	UserID           *string           `json:"user_id,omitempty"`
}

// viewBackup returns a backup with all fields. The parent is not shown: admins can only filter by it.
func (c *Cloud) viewBackup(q *call, b *backup) backupView {
	out := backupView{
		ID: b.ID, Status: b.Status, Size: b.Size, ObjectCount: b.Objects, AvailabilityZone: orNull(b.Zone), Container: orNull(b.Container),
		CreatedAt: stamp(b.Created), UpdatedAt: stamp(b.Updated), Name: orNull(b.Name), Description: orNull(b.Description),
		FailReason: orNull(b.FailReason), VolumeID: b.Volume, Links: q.links("backups", b.ID), Incremental: b.Parent != "",
		HasDependents: b.dependents > 0, DataTimestamp: stamp(b.Data),
	}
	admin := q.admin
	if q.minor >= 18 && admin {
		out.ProjectID = &b.Project
	}
	if q.minor >= 43 {
		out.Metadata = nonNilMap(b.Metadata)
	}
	if q.minor >= 56 && admin {
		out.UserID = &b.User
	}
	if q.minor >= 64 {
		out.EncryptionKeyID = orNull(b.KeyID)
	}
	return out
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func nonNilMap(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func (q *call) viewBrief(b *backup) map[string]any {
	return map[string]any{"id": b.ID, "name": orNull(b.Name), "links": q.links("backups", b.ID)}
}

func showBackup(c *Cloud, q *call) response {
	b := c.visibleBackup(q)
	if b == nil {
		return backupNotFound(q.vars["backup"])
	}
	return ok(map[string]any{"backup": c.viewBackup(q, b)})
}

// updateBackup changes name, description and metadata, as any tenant may. The call exists since 3.9.
func updateBackup(c *Cloud, q *call) response {
	if q.minor < 9 {
		return notFound("The resource could not be found.")
	}
	var raw json.RawMessage
	if a, ok := q.decode("backup", &raw); !ok {
		return a
	}
	allowed := []string{"name", "description"}
	if q.minor >= 43 {
		allowed = append(allowed, "metadata")
	}
	if a, ok := checkProperties("backup", raw, allowed); !ok {
		return a
	}
	var in struct {
		Name, Description *string
		Metadata          *map[string]string
	}
	if json.Unmarshal(raw, &in) != nil {
		return badRequest("Invalid input for field/attribute backup. Value: " + pythonRepr(raw) + ".")
	}
	b := c.visibleBackup(q)
	switch {
	case b == nil:
		return backupNotFound(q.vars["backup"])
	case in.Name == nil && in.Description == nil && in.Metadata == nil:
		return badRequest("Invalid input for field/attribute backup. Value: {}. {} does not have enough properties")
	}
	if in.Name != nil {
		b.Name = *in.Name
	}
	if in.Description != nil {
		b.Description = *in.Description
	}
	if in.Metadata != nil {
		b.Metadata = maps.Clone(*in.Metadata)
	}
	c.setBackup(b, b.Status)
	c.noteBackup(BackupUpdated, b, q.tok, b.Name)
	return ok(map[string]any{"backup": q.viewBrief(b)})
}
