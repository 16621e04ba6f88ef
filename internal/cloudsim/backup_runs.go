package cloudsim

import (
	"fmt"
	"time"
)

// run is what cinder-backup is doing with one backup. A planned end first checks that it still is the backup's run: a run
// that was killed or is stuck never ends.
type run struct {
	volume   *volume // the volume that is backed up or restored to
	temp     *volume
	previous string // the volume's status after the run
	tok      *token
	began    time.Time
	queued   bool        // requested while no service was up to start it
	returned bool        // the volume has its previous status again
	slot     *operations // the slot that the run has, if slots are limited
	isNew    bool        // the target of the restore was made for the restore
	full     bool        // an incremental that turns out to be a full
}

// volumeLead is how long before the backup becomes available its volume becomes in-use again.
func volumeLead(d time.Duration) time.Duration { return min(d/20, 500*time.Millisecond) }

// begin makes cinder-backup start a new backup.
func (c *Cloud) begin(b *backup, v *volume, tok *token, m marks) {
	r := &run{volume: v, previous: v.previous, tok: tok, began: c.at, queued: !c.backupUp, full: m.full}
	b.making = r
	if r.queued {
		return
	}
	zone := c.serviceZone(b, v)
	if !c.served(zone) {
		c.after(min(time.Second, c.opt.BackupTime(v.Size)), func() { c.failUnserved(b, r) })
		return
	}
	if v.Encrypted {
		if why := c.secretFailureReason(tok, v.Project, v.KeyID); why != "" {
			c.after(min(time.Second, c.opt.BackupTime(v.Size)), func() { c.failRun(b, r, why, false) })
			return
		}
		b.KeyID = c.newSecret(v.Project)
	}
	if v.previous == "in-use" {
		r.temp = c.newTemporary(v, tok)
	}
	c.operate(zone, r, func() bool { return b.making == r }, func() { c.work(b, r, m) })
}

// work is the part of a creation that takes time.
func (c *Cloud) work(b *backup, r *run, m marks) {
	if m.stick {
		return
	}
	d := c.opt.BackupTime(b.Size)
	if why := c.failureReason(b, m); why != "" {
		c.after(d, func() { c.failRun(b, r, why, true) })
		return
	}
	c.after(d-volumeLead(d), func() {
		if b.making == r {
			c.returnVolume(r)
		}
	})
	c.after(d, func() { c.finishRun(b, r) })
}

// newTemporary makes the clone that Cinder reads instead of a volume in use. The clone is in the volume lists.
func (c *Cloud) newTemporary(v *volume, tok *token) *volume {
	t := &volume{
		ID: c.ids.uuid(), Name: "backup-vol-" + v.ID, Project: tok.project, User: tok.user, Status: "backing-up", Size: v.Size,
		Zone: v.Zone, Encrypted: v.Encrypted, Created: c.cinderSecond(), Updated: c.cinderSecond(), temporary: true,
	}
	c.volumes.add(t)
	return t
}

// failureReason returns why an accepted backup will fail, or "". Drivers that back up in chunks (POSIX, NFS, Swift, S3) only now
// detect that the volume has grown since the parent was created.
func (c *Cloud) failureReason(b *backup, m marks) string {
	switch p := c.backups.byID[b.Parent]; {
	case m.fail != nil:
		return m.fail.Reason
	case c.targetBroken != "":
		return c.targetBroken
	case p != nil && c.volumes.byID[b.Volume] != nil && c.volumes.byID[b.Volume].failing != "":
		return c.volumes.byID[b.Volume].failing
	case p != nil && b.Size > p.Size:
		return "Invalid backup: Volume size increased since the last backup. Do a full backup."
	}
	return ""
}

// returnVolume sets the volume's status from before the backup.
func (c *Cloud) returnVolume(r *run) {
	if r.returned {
		return
	}
	r.returned = true
	if v := c.volumes.byID[r.volume.ID]; v != nil && v.Status != "deleting" {
		c.setVolume(v, c.statusAfterBackup(v, r.previous))
	}
	if r.temp != nil {
		c.dropVolume(r.temp)
		r.temp = nil
	}
}

// statusAfterBackup adapts a previous status to the present attachments. Releases newer than Zed restore in-use unchanged, even
// without an attachment (measured).
func (c *Cloud) statusAfterBackup(v *volume, previous string) string {
	switch {
	case previous == "in-use" && c.newerThanZed():
		return previous
	case v.detachedStatus != "" && len(v.Attachments) == 0:
		return v.detachedStatus
	case previous == "in-use" && len(v.Attachments) == 0:
		return "available"
	case previous == "available" && len(v.Attachments) > 0:
		return "in-use"
	}
	return previous
}

// finishRun ends a creation successfully. The backup becomes available even if an admin has reset its status meanwhile, but
// not if it is being deleted.
func (c *Cloud) finishRun(b *backup, r *run) {
	if b.making != r {
		return
	}
	b.making = nil
	c.ended(r)
	c.returnVolume(r)
	if c.backups.byID[b.ID] == nil || b.Status == "deleting" {
		return
	}
	if v := c.volumes.byID[b.Volume]; v == nil {
		c.failBackup(b, "error", fmt.Sprintf("Volume %s could not be found.", b.Volume))
		return
	}
	b.Container = b.ID[:2] + "/" + b.ID[2:4] + "/" + b.ID
	if r.full && b.Parent != "" {
		unindex(c.children, b.Parent, b.ID)
		b.Parent = ""
	}
	if b.Parent == "" {
		b.Objects = 2
	}
	c.setBackup(b, "available")
	if p := c.backups.byID[b.Parent]; p != nil {
		p.dependents++
	}
	c.noteBackup(BackupAvailable, b, nil, kindOf(b))
}

// failRun ends a creation with an error.
func (c *Cloud) failRun(b *backup, r *run, reason string, message bool) {
	if b.making != r {
		return
	}
	b.making = nil
	c.ended(r)
	c.returnVolume(r)
	if c.backups.byID[b.ID] == nil || b.Status == "deleting" {
		return
	}
	c.failBackup(b, "error", reason)
	if message {
		c.addMessage(b.Project, b.ID, "VOLUME_VOLUME_BACKUP_013_020", "create backup:Backup driver failed to create backup.")
	}
}

// failBackup sets a failed status and the reason, which is truncated like Cinder's column.
func (c *Cloud) failBackup(b *backup, status, reason string) {
	b.FailReason = reason[:min(len(reason), 255)]
	c.setBackup(b, status)
	c.noteBackup(BackupFailed, b, nil, status+": "+reason)
}
