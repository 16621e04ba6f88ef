package cloudsim

import (
	"net/http"
	"slices"
)

const serviceNotFound = "Service cinder-backup could not be found."

// deleteBackup handles DELETE /backups/{id}. It checks policy, status, dependents, and then whether cinder-backup is up. If
// cinder-backup is down, the response is a 404 too.
func deleteBackup(c *Cloud, q *call) response {
	b := c.visibleBackup(q)
	if b == nil {
		return backupNotFound(q.vars["backup"])
	}
	if refusal, may := c.mayDelete(q, b); !may {
		return refusal
	}
	switch b = c.visibleBackup(q); { // it may have been deleted meanwhile
	case b == nil:
		return backupNotFound(q.vars["backup"])
	case b.Status != "available" && b.Status != "error":
		return badRequest("Invalid backup: Backup status must be available or error")
	}
	return c.acceptDeletion(q, b, BackupDeletion)
}

// acceptDeletion searches for dependents only in the token's project. A token of another project than the backup's finds none:
// the deletion is accepted and the dependents lose their parent (measured).
func (c *Cloud) acceptDeletion(q *call, b *backup, kind string) response {
	for _, child := range c.children[b.ID] {
		if child.Project == q.tok.project {
			return badRequest("Invalid backup: Incremental backups exist for this backup.")
		}
	}
	if !c.backupUp {
		return notFound(serviceNotFound)
	}
	c.setBackup(b, "deleting")
	c.noteBackup(kind, b, q.tok, "")
	if b.Project != q.tok.project {
		c.noteBackup(ForeignDeletion, b, q.tok, "")
	}
	c.remove(b, q.tok, q.marks)
	return response{status: http.StatusAccepted}
}

// remove makes cinder-backup delete b. tok is nil when the service resumes a deletion by itself.
func (c *Cloud) remove(b *backup, tok *token, m marks) {
	r := &run{tok: tok, began: c.at}
	b.deleting = r
	if m.stick {
		return
	}
	c.after(c.opt.DeleteTime(b.Size), func() {
		if b.deleting != r {
			return
		}
		if m.fail != nil {
			b.deleting = nil
			c.failBackup(b, or(m.fail.Status, "error"), m.fail.Reason)
			return
		}
		c.finishRemoval(b, r)
	})
}

// finishRemoval deletes the data first, then the key. If the key can't be deleted, no status is set: the backup remains in
// deleting forever, with its quota charged and its data deleted.
func (c *Cloud) finishRemoval(b *backup, r *run) {
	b.deleting = nil
	c.destroyData(b)
	if b.KeyID != "" {
		if why := c.keyDeletionFailureReason(b, r.tok); why != "" && c.secrets[b.KeyID] != nil {
			c.noteBackup(BackupHangs, b, r.tok, why)
			return
		}
		c.dropSecret(b.KeyID, Event{Backup: b.ID, Project: b.Project})
	}
	c.destroy(b)
}

func (c *Cloud) keyProject(b *backup) string {
	if s := c.secrets[b.KeyID]; s != nil {
		return s.project
	}
	return b.Project
}

// destroyData deletes the data of b and writes an event for every backup that depends on it.
func (c *Cloud) destroyData(b *backup) {
	if b.dataGone {
		return
	}
	b.dataGone = true
	for _, child := range c.descendants(b) {
		c.noteBackup(ChainDestroyed, child, nil, "parent "+b.ID)
	}
}

func (c *Cloud) descendants(b *backup) []*backup {
	out := byKey(c.children[b.ID])
	for i := 0; i < len(out); i++ {
		out = append(out, byKey(c.children[out[i].ID])...)
	}
	return slices.Clip(out)
}

// destroy removes a backup from the database. The parent's counter is decremented even if this child was never counted,
// such as a failed one: Cinder does the same.
func (c *Cloud) destroy(b *backup) {
	c.backups.remove(b)
	unindex(c.byVolume, b.Volume, b.ID)
	unindex(c.children, b.Parent, b.ID)
	if p := c.backups.byID[b.Parent]; p != nil && p.dependents > 0 {
		p.dependents--
	}
	u := c.used(b.Project)
	u.backups--
	u.gigabytes -= b.charged
	c.noteBackup(BackupDeleted, b, nil, "")
}

// restorable reports whether the data of a backup exists, down to its full.
func (c *Cloud) restorable(b *backup) bool {
	for ; b != nil && !b.dataGone; b = c.backups.byID[b.Parent] {
		if b.Parent == "" {
			return true
		}
	}
	return false
}
