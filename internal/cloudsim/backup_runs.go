package cloudsim

import (
	"fmt"
	"time"
)

// run is what cinder-backup is doing with one backup. What was planned for its end looks whether it is
// still the backup's run: one that was killed or got stuck never comes to it.
type run struct {
	volume   *volume // backed up, or restored to
	temp     *volume
	previous string // the volume's status to give back
	tok      *token
	began    time.Time
	queued   bool        // asked for while no service was up to take it
	returned bool        // the volume has its status again
	turn     *operations // that it has, where turns are limited
	isNew    bool        // restored to: made for the restore
	full     bool        // an incremental that turns out to be none
}

// volumeLead: a volume says in-use again slightly before its backup says available.
func volumeLead(d time.Duration) time.Duration { return min(d/20, 500*time.Millisecond) }

// begin lets cinder-backup take a new backup.
func (c *Cloud) begin(b *backup, v *volume, tok *token, m marks) {
	r := &run{volume: v, previous: v.previous, tok: tok, began: c.at, queued: !c.backupUp, full: m.full}
	b.making = r
	if r.queued {
		return
	}
	zone := c.serviceZone(b, v)
	if !c.served(zone) {
		c.after(min(time.Second, c.opt.BackupTime(v.Size)), func() { c.unserved(b, r) })
		return
	}
	if v.Encrypted {
		if why := c.secretTrouble(tok, v.Project, v.KeyID); why != "" {
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

// work is the part that takes its time.
func (c *Cloud) work(b *backup, r *run, m marks) {
	if m.stick {
		return
	}
	d := c.opt.BackupTime(b.Size)
	if why := c.willFail(b, m); why != "" {
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

// newTemporary is the clone that Cinder reads in place of a volume in use. It stands in the volume lists.
func (c *Cloud) newTemporary(v *volume, tok *token) *volume {
	t := &volume{
		ID: c.ids.uuid(), Name: "backup-vol-" + v.ID, Project: tok.project, User: tok.user, Status: "backing-up", Size: v.Size,
		Zone: v.Zone, Encrypted: v.Encrypted, Created: c.cinderSecond(), Updated: c.cinderSecond(), temporary: true,
	}
	c.volumes.add(t)
	return t
}

// willFail says how a backup will fail that has been accepted; empty is not at all. Drivers that back up in
// chunks (POSIX, NFS, Swift, S3) find out only now that the volume has grown since the parent was made.
func (c *Cloud) willFail(b *backup, m marks) string {
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

// returnVolume gives the volume the status it had before.
func (c *Cloud) returnVolume(r *run) {
	if r.returned {
		return
	}
	r.returned = true
	if v := c.volumes.byID[r.volume.ID]; v != nil && v.Status != "deleting" {
		c.setVolume(v, c.resting(v, r.previous))
	}
	if r.temp != nil {
		c.dropVolume(r.temp)
		r.temp = nil
	}
}

// resting corrects a remembered status by what happened to the attachments meanwhile. Releases newer than Zed give back in-use
// as it was, with no attachment (measured).
func (c *Cloud) resting(v *volume, previous string) string {
	switch {
	case previous == "in-use" && c.later():
		return previous
	case v.held != "" && len(v.Attachments) == 0:
		return v.held
	case previous == "in-use" && len(v.Attachments) == 0:
		return "available"
	case previous == "available" && len(v.Attachments) > 0:
		return "in-use"
	}
	return previous
}

// finishRun ends a creation well. Even a status that an admin has reset meanwhile becomes available; only a
// backup that is being deleted does not.
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

// failRun ends a creation badly.
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
		c.tell(b.Project, b.ID, "VOLUME_VOLUME_BACKUP_013_020", "create backup:Backup driver failed to create backup.")
	}
}

// failBackup sets a bad status with its reason, which Cinder's column cuts.
func (c *Cloud) failBackup(b *backup, status, reason string) {
	b.FailReason = reason[:min(len(reason), 255)]
	c.setBackup(b, status)
	c.noteBackup(BackupFailed, b, nil, status+": "+reason)
}
