package cloudsim

import (
	"maps"
	"slices"
)

// restoreBackup handles POST /backups/{id}/restore: into a given volume, or a new unencrypted one.
func restoreBackup(c *Cloud, q *call) response {
	var in struct {
		VolumeID *string `json:"volume_id"`
		Name     *string `json:"name"`
	}
	if a, good := q.decode("restore", &in); !good {
		return a
	}
	b := c.visibleBackup(q)
	switch {
	case b == nil:
		return backupNotFound(q.vars["backup"])
	case b.Status != "available":
		return badRequest("Invalid backup: Backup status must be available")
	}
	v := c.visibleVolume(q, deref(in.VolumeID))
	switch {
	case deref(in.VolumeID) == "":
		v = c.volumeForRestore(q, b, or(deref(in.Name), "restore_backup_"+b.ID))
	case v == nil:
		return volumeNotFound(*in.VolumeID)
	case v.Status != "available":
		return badRequest("Invalid volume: Volume to be restored to must be available")
	case v.Size < b.Size:
		return badRequest("Invalid volume: volume size " + itoa(v.Size) + " is too small to restore backup of size " + itoa(b.Size) + ".")
	}
	if !c.backupUp {
		return notFound(serviceNotFound)
	}
	c.setBackup(b, "restoring")
	c.setVolume(v, "restoring-backup")
	r := &run{volume: v, tok: q.tok, began: c.at, isNew: deref(in.VolumeID) == ""}
	b.restoring = r
	c.operate(c.serviceZone(b, v), r, func() bool { return b.restoring == r }, func() {
		if !q.marks.stick {
			c.after(c.opt.RestoreTime(b.Size), func() { c.finishRestore(b, r, q.marks) })
		}
	})
	return accepted(map[string]any{"restore": map[string]any{"backup_id": b.ID, "volume_id": v.ID, "volume_name": v.Name}})
}

// volumeForRestore makes a volume of the default type: a restore does not use the type of the source.
func (c *Cloud) volumeForRestore(q *call, b *backup, name string) *volume {
	v := &volume{
		ID: c.ids.uuid(), Name: name, Description: "auto-created_from_restore_from_backup", Project: q.tok.project, User: q.tok.user,
		Status: "available", Size: b.Size, Zone: defaultZone, Created: c.cinderSecond(), Updated: c.cinderSecond(),
	}
	c.volumes.add(v)
	c.noteVolume(v, "created to restore "+b.ID)
	return v
}

func (c *Cloud) finishRestore(b *backup, r *run, m marks) {
	if b.restoring != r {
		return
	}
	b.restoring = nil
	c.ended(r)
	if c.backups.byID[b.ID] != nil && b.Status == "restoring" {
		c.setBackup(b, "available")
	}
	v := c.volumes.byID[r.volume.ID]
	if v == nil {
		return
	}
	why := c.restoreFailureReason(b, v, r.tok)
	if m.fail != nil {
		why = m.fail.Reason
	}
	e := Event{Kind: BackupRestored, Backup: b.ID, Volume: v.ID, Project: v.Project, Detail: why}
	if why != "" {
		e.Kind = BackupRestoreFailed
		c.setVolume(v, "error_restoring")
		c.note(e)
		c.addMessage(v.Project, b.ID, "VOLUME_VOLUME_BACKUP_015_026", "restore backup:Backup driver failed to restore backup.")
		return
	}
	v.content, v.blocks = b.content, c.restored(b, r.isNew)
	if !slices.Equal(v.blocks, b.blocks) {
		v.content = 0 // the content of no backup
	}
	v.Metadata = nonNilMap(maps.Clone(b.volumeMeta))
	if b.Volume != v.ID {
		v.Metadata["src_backup_id"] = b.ID
	}
	c.setVolume(v, "available")
	c.note(e)
}

// restoreFailureReason returns why a restore fails, or "". With a token that Barbican refuses, the target keeps the key of the
// source volume: deleting that target deletes the source's key.
func (c *Cloud) restoreFailureReason(b *backup, v *volume, tok *token) string {
	switch {
	case !c.restorable(b):
		return "the chain of the backup is broken"
	case b.KeyID == "":
		return ""
	case !v.Encrypted:
		return "EncryptedBackupOperationFailed: The source volume type '" + luksType + "' is different than the destination volume type '" + defaultType + "'."
	}
	if why := c.secretFailureReason(tok, c.keyProject(b), b.KeyID); why != "" {
		if source := c.volumes.byID[b.Volume]; source != nil {
			v.KeyID = source.KeyID
		}
		return why
	}
	c.dropSecret(v.KeyID, Event{Volume: v.ID, Project: v.Project})
	v.KeyID = c.newSecret(v.Project)
	return ""
}
