package cloudsim

// StickBackup makes the present creation, deletion or restore of a backup never end by itself. A restart of cinder-backup or
// ReleaseBackup ends it.
func (c *Cloud) StickBackup(backupID string) {
	c.lock()
	defer c.mu.Unlock()
	b := mustFind(c.backups.byID, "backup", backupID)
	b.making, b.deleting, b.restoring = b.making.killed(), b.deleting.killed(), b.restoring.killed()
}

// ReleaseBackup successfully ends the present creation, deletion or restore of a backup at once, stuck or not.
func (c *Cloud) ReleaseBackup(backupID string) {
	c.lock()
	defer c.mu.Unlock()
	b := mustFind(c.backups.byID, "backup", backupID)
	switch {
	case b.deleting != nil:
		c.finishRemoval(b, b.deleting)
	case b.restoring != nil:
		c.finishRestore(b, b.restoring, marks{})
	case b.making != nil:
		c.finishRun(b, b.making)
	}
}

// FailBackup ends a creation in progress with this reason, or sets a finished backup to error.
func (c *Cloud) FailBackup(backupID, reason string) {
	c.lock()
	defer c.mu.Unlock()
	b := mustFind(c.backups.byID, "backup", backupID)
	if b.making != nil {
		c.failRun(b, b.making, reason, true)
		return
	}
	c.failBackup(b, "error", reason)
}

// SetBackupStatus sets the status of a backup in Cinder, without any check.
func (c *Cloud) SetBackupStatus(backupID, status string) {
	c.lock()
	defer c.mu.Unlock()
	b := mustFind(c.backups.byID, "backup", backupID)
	c.setBackup(b, status)
	c.noteBackup(BackupReset, b, nil, status)
}

// RemoveBackup removes a backup from Cinder at once, without checking for dependents.
func (c *Cloud) RemoveBackup(backupID string) {
	c.lock()
	defer c.mu.Unlock()
	b := mustFind(c.backups.byID, "backup", backupID)
	c.destroyData(b)
	c.destroy(b)
}

// NewBackup are the properties of a backup that AddBackup makes.
type NewBackup struct {
	Volume        string // the ID
	Project, User string // empty: the volume's project and the user staffeln
	Name          string
	Metadata      map[string]string
	Parent        string // the ID; empty: a full
	Status        string // empty: available
}

// AddBackup makes a finished backup with the present time and returns its ID. It represents a foreign backup or an older one.
func (c *Cloud) AddBackup(n NewBackup) string {
	c.lock()
	defer c.mu.Unlock()
	v := mustFind(c.volumes.byID, "volume", n.Volume)
	var parent *backup
	if n.Parent != "" {
		parent = mustFind(c.backups.byID, "backup", n.Parent)
	}
	q := &call{tok: &token{user: or(n.User, c.cast.Service), project: or(n.Project, v.Project)}}
	b := c.newBackup(q, v, backupInput{Name: &n.Name, Metadata: n.Metadata}, parent)
	c.noteBackup(BackupRequested, b, q.tok, kindOf(b))
	if v.Encrypted {
		b.KeyID = c.newSecret(b.Project)
	}
	c.setBackup(b, or(n.Status, "available"))
	if b.Status == "available" {
		if parent != nil {
			parent.dependents++
		}
		c.noteBackup(BackupAvailable, b, nil, kindOf(b))
	}
	return b.ID
}
