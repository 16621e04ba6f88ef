package openstack

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"staffeln/backup"
)

// An Estate is the cloud for what a project that is gone left behind: nobody
// can have a token of it any more, so its backups are read and deleted as the
// admin. For every other project it is the [Cloud] itself.
//
// An admin's token of another project makes Cinder overlook the backups that
// build on one: it then accepts the deletion and destroys the chain. So an
// OrphanedProject looks for them itself, right before each deletion.
type OrphanedProject struct {
	*Cloud

	projectID string
}

// OrphanedProject returns the estate of a project, and refuses where Keystone still
// knows it: enabled or not, it can be given a token then.
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

// Gone returns those of the projects that Keystone no longer knows: each that
// its list lacks is asked for by ID.
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
		case !backup.Means(err, backup.MeansRefused): // made meanwhile
			return nil, err
		}
	}
	return gone, nil
}

// VolumeBackups lists what the project left of a volume.
func (e *OrphanedProject) VolumeBackups(ctx context.Context, projectID, volumeID string) ([]backup.Backup, error) {
	if projectID != e.projectID {
		return e.Cloud.VolumeBackups(ctx, projectID, volumeID)
	}
	return collect(func(b backup.Backup) bool { return b.VolumeID == volumeID && b.ProjectID == projectID }, func(each func([]backup.Backup) error) error {
		return e.eachBackup(ctx, url.Values{"volume_id": {volumeID}}, each)
	})
}

// Backup reads one backup; one of another project than it is said to be of is refused.
func (e *OrphanedProject) Backup(ctx context.Context, projectID, backupID string) (backup.Backup, error) {
	if projectID != e.projectID {
		return e.Cloud.Backup(ctx, projectID, backupID)
	}
	return e.read(ctx, e.request("read backup", backupID))
}

// DeleteBackup deletes b where nothing builds on it.
func (e *OrphanedProject) DeleteBackup(ctx context.Context, b backup.Backup) error {
	if b.ProjectID != e.projectID {
		return e.Cloud.DeleteBackup(ctx, b)
	}
	r := e.request("delete backup", b.ID)
	if err := e.free(ctx, r); err != nil {
		return err
	}
	r.method = http.MethodDelete
	return e.do(ctx, e.admin, r)
}

// ForceDeleteBackup deletes b whatever its status, where nothing builds on it.
func (e *OrphanedProject) ForceDeleteBackup(ctx context.Context, b backup.Backup) error {
	if b.ProjectID != e.projectID {
		return e.Cloud.ForceDeleteBackup(ctx, b)
	}
	r := e.request("force-delete backup", b.ID)
	if err := e.free(ctx, r); err != nil {
		return err
	}
	r.method, r.path, r.body = http.MethodPost, r.path+"/action", map[string]any{"os-force_delete": map[string]any{}}
	return e.do(ctx, e.admin, r)
}

// ResetBackup sets the status of b, which must still be the one that b has.
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

// read reads the backup that r names, as the admin.
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

// free refuses where something builds on the backup, or where its secret could
// not be deleted with it: Cinder would destroy data and never come to an end.
func (e *OrphanedProject) free(ctx context.Context, r request) error {
	var minor int
	look := r
	look.minor = &minor
	b, err := e.read(ctx, look)
	if err != nil {
		return err
	}
	if b.HasDependents {
		return r.refuse(e.projectID, backup.MeansHasDependents, "Cinder says that other backups build on it")
	}
	if b.Encrypted || mayBeEncrypted(e.admin, minor) {
		return r.refuse(e.projectID, backup.MeansSecretRight, "the backup is encrypted, and nobody but its project may delete the secret")
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
		err = r.refuse(e.projectID, backup.MeansHasDependents, fmt.Sprintf("these build on it: %v", on))
	}
	return err
}
