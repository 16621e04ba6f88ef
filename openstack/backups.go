package openstack

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"staffeln/backup"
)

type backupJSON struct {
	ID, Name, Description string
	Status                string
	Size                  int
	Metadata              map[string]string
	VolumeID              string     `json:"volume_id"`
	UserID                string     `json:"user_id"`
	ProjectID             string     `json:"os-backup-project-attr:project_id"`
	Incremental           bool       `json:"is_incremental"`
	HasDependents         bool       `json:"has_dependent_backups"`
	FailReason            string     `json:"fail_reason"`
	CreatedAt             cinderTime `json:"created_at"`
	UpdatedAt             cinderTime `json:"updated_at"`
	DataTimestamp         cinderTime `json:"data_timestamp"`
	EncryptionKeyID       string     `json:"encryption_key_id"`
}

// backup returns b as a backup.Backup. project is its project if the response does not name one.
func (b backupJSON) backup(project string) backup.Backup {
	if b.ProjectID != "" {
		project = b.ProjectID
	}
	data := b.DataTimestamp
	if data.IsZero() {
		data = b.CreatedAt // Cinder uses the same rule for backups that are not made from a snapshot
	}
	var fail backup.Meaning
	if backup.Status(b.Status) == backup.StatusError {
		fail = failMeaningOf(b.FailReason)
	}
	return backup.Backup{
		ID: b.ID, Name: b.Name, Description: b.Description, ProjectID: project, VolumeID: b.VolumeID, UserID: b.UserID,
		Status: backup.Status(b.Status), Incremental: b.Incremental, HasDependents: b.HasDependents,
		Encrypted: b.EncryptionKeyID != "", SecretID: secretOf(b.EncryptionKeyID), SizeGiB: b.Size, FailReason: b.FailReason, FailMeaning: fail,
		CreatedAt: b.CreatedAt.Time, UpdatedAt: b.UpdatedAt.Time, DataTimestamp: data.Time, Metadata: b.Metadata,
	}
}

// fixedKey is the key ID of Cinder's ConfKeyManager. Its only key is in cinder.conf, so Barbican has no secret for it.
const fixedKey = "00000000-0000-0000-0000-000000000000"

func secretOf(keyID string) string {
	if keyID == fixedKey {
		return ""
	}
	return strings.ToLower(keyID)
}

// A cinderTime is a time as Cinder writes it: in UTC, but without a time zone.
type cinderTime struct{ time.Time }

// UnmarshalJSON reads null as the zero time. An unreadable time is an error: a backup with a zero time would
// count as very old and would be deleted.
func (t *cinderTime) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil || s == nil {
		return err
	}
	at, err := time.Parse("2006-01-02T15:04:05", *s) // fractional seconds are accepted too
	if err != nil {
		at, err = time.Parse(time.RFC3339, *s)
	}
	t.Time = at.UTC()
	return err
}

// BackupsIn lists the backups of all projects that have this status.
func (c *Cloud) BackupsIn(ctx context.Context, status backup.Status) ([]backup.Backup, error) {
	return collect(func(b backup.Backup) bool { return b.Status == status }, func(each func([]backup.Backup) error) error {
		return c.eachBackup(ctx, url.Values{"status": {string(status)}}, each)
	})
}

// collect returns the wanted backups of a list. It filters again because the cloud may ignore the filter.
func collect(wanted func(backup.Backup) bool, list func(each func([]backup.Backup) error) error) (all []backup.Backup, err error) {
	err = list(func(page []backup.Backup) error {
		for _, b := range page {
			if wanted(b) {
				all = append(all, b)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// AllBackups passes the backups of all projects to each, page by page, oldest first. It stops at the first error of each
// and returns it.
func (c *Cloud) AllBackups(ctx context.Context, each func([]backup.Backup) error) error {
	return c.eachBackup(ctx, nil, each)
}

func (c *Cloud) eachBackup(ctx context.Context, filter url.Values, each func([]backup.Backup) error) error {
	query := url.Values{"all_tenants": {"1"}, "sort": {"created_at:asc"}}
	maps.Copy(query, filter)
	base := request{op: "list backups", object: "of all projects", method: http.MethodGet, service: cinder, path: "/backups/detail"}
	if err := c.requireAdmin(ctx, base); err != nil {
		return err
	}
	return c.walkBackups(ctx, c.admin, base, query, "", each)
}

// VolumeBackups lists the project's backups of a volume, with a token of that project.
func (c *Cloud) VolumeBackups(ctx context.Context, projectID, volumeID string) ([]backup.Backup, error) {
	what := request{op: "list backups", object: "of volume " + volumeID, id: volumeID}
	s, r, err := c.cinderRequest(ctx, what, projectID, http.MethodGet, "/backups/detail")
	if err != nil {
		return nil, err
	}
	query := url.Values{"volume_id": {volumeID}, "sort": {"created_at:asc"}}
	return collect(func(b backup.Backup) bool { return b.VolumeID == volumeID && b.ProjectID == projectID }, func(each func([]backup.Backup) error) error {
		return c.walkBackups(ctx, s, r, query, projectID, each)
	})
}

func (c *Cloud) walkBackups(ctx context.Context, s *scope, base request, query url.Values, project string, each func([]backup.Backup) error) error {
	l := listing[backupJSON]{key: "backups", query: query, id: func(b backupJSON) string { return b.ID }}
	return walk(ctx, c, s, base, l, func(items []backupJSON) error {
		page := make([]backup.Backup, 0, len(items))
		for _, b := range items {
			page = append(page, b.backup(project))
		}
		return each(page)
	})
}

// Backup reads one backup with a token of its project.
func (c *Cloud) Backup(ctx context.Context, projectID, backupID string) (backup.Backup, error) {
	what := request{op: "read backup", object: backupID, id: backupID}
	s, r, err := c.cinderRequest(ctx, what, projectID, http.MethodGet, "/backups/"+url.PathEscape(backupID))
	if err != nil {
		return backup.Backup{}, err
	}
	return c.readBackup(ctx, s, r)
}

func (c *Cloud) readBackup(ctx context.Context, s *scope, r request) (backup.Backup, error) {
	one, err := readOne(ctx, c, s, r, "backup", func(o backupJSON) string { return o.ID })
	if err != nil {
		return backup.Backup{}, err
	}
	return one.backup(s.projectID), nil
}
