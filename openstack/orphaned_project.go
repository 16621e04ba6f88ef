package openstack

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"staffeln/backup"
)

// An OrphanedProject is the cloud for the backups of a project that no longer exists. No token of that project can be
// issued, so the backups are read and deleted as the admin. For every other project it behaves like the [Cloud] itself.
//
// With an admin token of another project Cinder does not see the dependents of a backup: it accepts the deletion and destroys
// the chain. So an OrphanedProject searches for dependents itself, right before each deletion.
type OrphanedProject struct {
	*Cloud

	projectID string
}

// OrphanedProject returns the client for the backups of an orphaned project. It returns an error if Keystone still knows the
// project: even a disabled project can be enabled again and get a token.
func (c *Cloud) OrphanedProject(ctx context.Context, projectID string) (*OrphanedProject, error) {
	r := request{
		op: "read project", object: projectID, id: projectID,
		method: http.MethodGet, path: "/projects/" + url.PathEscape(projectID),
	}
	if projectID == "" {
		return nil, r.refuse("", backup.MeansRefused, "want the ID of a project")
	}
	if err := c.VerifyAdmin(ctx); err != nil {
		return nil, err
	}
	switch _, err := c.readProject(ctx, r); {
	case err == nil:
		return nil, r.refuse(projectID, backup.MeansRefused, "Keystone still knows the project: its backups are removed by retention, with a token of it")
	case !backup.Means(err, backup.MeansNotFound):
		return nil, err
	}
	return &OrphanedProject{Cloud: c, projectID: projectID}, nil
}

// Gone returns those of the projects that Keystone no longer knows. Each project that is not in Keystone's list is checked
// by ID.
func (c *Cloud) Gone(ctx context.Context, projectIDs []string) (gone []string, err error) {
	if err := c.VerifyAdmin(ctx); err != nil {
		return nil, err
	}
	known, err := c.projects(ctx)
	if err != nil {
		return nil, err
	}
	listed := make(map[string]bool, len(known))
	for _, p := range known {
		listed[p.ID] = true
	}
	for _, id := range projectIDs {
		if listed[id] {
			continue
		}
		_, err := c.OrphanedProject(ctx, id)
		switch {
		case err == nil:
			gone = append(gone, id)
		case !backup.Means(err, backup.MeansRefused): // created meanwhile
			return nil, err
		}
	}
	return gone, nil
}

// VolumeBackups lists the orphaned project's backups of a volume.
func (e *OrphanedProject) VolumeBackups(ctx context.Context, projectID, volumeID string) ([]backup.Backup, error) {
	if projectID != e.projectID {
		return e.Cloud.VolumeBackups(ctx, projectID, volumeID)
	}
	return collect(func(b backup.Backup) bool { return b.VolumeID == volumeID && b.ProjectID == projectID }, func(each func([]backup.Backup) error) error {
		return e.eachBackup(ctx, url.Values{"volume_id": {volumeID}}, each)
	})
}

// Backup reads one backup. It returns an error if the backup belongs to another project than projectID.
func (e *OrphanedProject) Backup(ctx context.Context, projectID, backupID string) (backup.Backup, error) {
	if projectID != e.projectID {
		return e.Cloud.Backup(ctx, projectID, backupID)
	}
	return e.read(ctx, e.request("read backup", backupID))
}

// DeleteBackup deletes b if it has no dependents.
func (e *OrphanedProject) DeleteBackup(ctx context.Context, b backup.Backup) error {
	if b.ProjectID != e.projectID {
		return e.Cloud.DeleteBackup(ctx, b)
	}
	r := e.request("delete backup", b.ID)
	if err := e.requireDeletable(ctx, r); err != nil {
		return err
	}
	r.method = http.MethodDelete
	return e.do(ctx, e.admin, r)
}

// ForceDeleteBackup deletes b in any status, if it has no dependents.
func (e *OrphanedProject) ForceDeleteBackup(ctx context.Context, b backup.Backup) error {
	if b.ProjectID != e.projectID {
		return e.Cloud.ForceDeleteBackup(ctx, b)
	}
	r := e.request("force-delete backup", b.ID)
	if err := e.requireDeletable(ctx, r); err != nil {
		return err
	}
	r.method, r.path, r.body = http.MethodPost, r.path+"/action", map[string]any{"os-force_delete": map[string]any{}}
	return e.do(ctx, e.admin, r)
}

// ResetBackup sets the status of b. It returns an error if the status of b has changed in Cinder.
func (e *OrphanedProject) ResetBackup(ctx context.Context, b backup.Backup, to backup.Status) error {
	if b.ProjectID != e.projectID {
		return e.Cloud.ResetBackup(ctx, b, to)
	}
	r := e.request(opReset, b.ID)
	is, err := e.read(ctx, r)
	if err != nil {
		return err
	}
	if is.Status != b.Status {
		return r.refuse(e.projectID, backup.MeansBackupState, "its status is no longer "+string(b.Status)+" but "+string(is.Status))
	}
	r.method, r.path, r.body = http.MethodPost, r.path+"/action", resetTo(to)
	return e.do(ctx, e.admin, r)
}

func (e *OrphanedProject) request(op, backupID string) request {
	return request{
		op: op, object: backupID, id: backupID, method: http.MethodGet, service: cinder, path: "/backups/" + url.PathEscape(backupID),
	}
}

// read reads the backup of r as the admin.
func (e *OrphanedProject) read(ctx context.Context, r request) (backup.Backup, error) {
	if err := e.requireAdmin(ctx, r); err != nil {
		return backup.Backup{}, err
	}
	r.method = http.MethodGet
	b, err := e.readBackup(ctx, e.admin, r)
	if err == nil && b.ProjectID != e.projectID {
		err = r.refuse(e.projectID, backup.MeansRefused, "the backup belongs to project "+b.ProjectID)
	}
	return b, err
}

// requireDeletable returns an error if the backup has dependents, or if its secret could not be deleted with it: Cinder would
// then destroy the data and the deletion would hang.
func (e *OrphanedProject) requireDeletable(ctx context.Context, r request) error {
	var minor int
	readRequest := r
	readRequest.minor = &minor
	b, err := e.read(ctx, readRequest)
	if err != nil {
		return err
	}
	if b.HasDependents {
		return r.refuse(e.projectID, backup.MeansHasDependents, "Cinder reports dependent backups")
	}
	if b.Encrypted || mayBeEncrypted(e.admin, minor) {
		return r.refuse(e.projectID, backup.MeansSecretRight, "the backup is encrypted, and only its project may delete the secret")
	}
	var on []string
	err = e.eachBackup(ctx, url.Values{"parent_id": {r.id}}, func(page []backup.Backup) error {
		for _, one := range page {
			if one.VolumeID == b.VolumeID && one.ID != b.ID && one.Incremental && !one.DataTimestamp.Before(b.DataTimestamp) {
				on = append(on, one.ID)
			}
		}
		return nil
	})
	if err == nil && len(on) > 0 {
		err = r.refuse(e.projectID, backup.MeansHasDependents, fmt.Sprintf("these backups depend on it: %v", on))
	}
	return err
}
