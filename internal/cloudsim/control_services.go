package cloudsim

import "time"

// SetBackupService stops or starts cinder-backup. While it is down, creations are accepted and wait; deletions, restores and
// resets are refused with a 404. A start first cleans up, as a restart does.
func (c *Cloud) SetBackupService(up bool) {
	c.lock()
	defer c.mu.Unlock()
	c.setBackupService(up)
}

// RestartBackupService kills cinder-backup and starts it again. Unfinished creations become error. Deletions are resumed,
// except those of encrypted backups, which become error_deleting.
func (c *Cloud) RestartBackupService() {
	c.lock()
	defer c.mu.Unlock()
	c.setBackupService(false)
	c.setBackupService(true)
}

func (c *Cloud) setBackupService(up bool) {
	if up == c.backupUp {
		return
	}
	c.backupUp = up
	c.note(Event{Kind: ServiceChanged, Detail: "cinder-backup up: " + boolText(up)})
	if !up {
		c.backupSeen = c.at
		clear(c.operations)
		for _, b := range c.backups.byID {
			b.making, b.deleting, b.restoring = b.making.killed(), b.deleting.killed(), b.restoring.killed()
		}
		return
	}
	for _, b := range byKey(c.backups.byID) {
		c.cleanUp(b)
	}
}

// killed returns a copy of the run: the planned end of the original no longer applies to the backup.
func (r *run) killed() *run {
	if r == nil {
		return nil
	}
	dead := *r
	return &dead
}

// cleanUp does what cinder-backup does with each unfinished backup at its start.
func (c *Cloud) cleanUp(b *backup) {
	switch b.Status {
	case "creating":
		reason := "incomplete backup reset on manager restart"
		if r := b.making; r != nil {
			c.returnVolume(r)
			if v := c.volumes.byID[b.Volume]; r.queued && v != nil {
				reason = "Create backup aborted, expected volume status backing-up but got " + v.Status + "."
			}
		}
		b.making = nil
		c.failBackup(b, "error", reason)
	case "restoring":
		if r := b.restoring; r != nil && c.volumes.byID[r.volume.ID] != nil && r.volume.Status == "restoring-backup" {
			c.setVolume(r.volume, "error_restoring")
		}
		b.restoring = nil
		c.setBackup(b, "available")
	case "deleting":
		b.deleting = nil
		if b.KeyID != "" {
			c.failBackup(b, "error_deleting", "")
			return
		}
		c.remove(b, nil, marks{})
	default: // a run that continued after an admin's reset
		if b.making != nil {
			c.returnVolume(b.making)
			b.making = nil
		}
	}
}

// SetKeyManager stops or starts Barbican.
func (c *Cloud) SetKeyManager(up bool) {
	c.lock()
	defer c.mu.Unlock()
	c.keyManagerUp = up
	c.note(Event{Kind: ServiceChanged, Detail: "barbican up: " + boolText(up)})
}

// SetSecretNewDefaults switches Barbican's enforce_new_defaults.
func (c *Cloud) SetSecretNewDefaults(on bool) {
	c.lock()
	defer c.mu.Unlock()
	c.opt.SecretNewDefaults = on
}

// BreakTarget makes every creation from now on fail for this reason; empty repairs the backup target.
func (c *Cloud) BreakTarget(reason string) {
	c.lock()
	defer c.mu.Unlock()
	c.targetBroken = reason
	c.note(Event{Kind: ServiceChanged, Detail: "backup target: " + or(reason, "good")})
}

// SetCinderSkew sets Cinder's clock ahead of the cloud's clock, or behind it. What Cinder writes from now on has its time
// (created_at, updated_at and data_timestamp); durations do not change.
func (c *Cloud) SetCinderSkew(ahead time.Duration) {
	c.lock()
	defer c.mu.Unlock()
	c.skew = ahead
	c.note(Event{Kind: ServiceChanged, Detail: "cinder's clock ahead by " + ahead.String()})
}

// SetRaceTwoPosts switches Options.RaceTwoPosts.
func (c *Cloud) SetRaceTwoPosts(on bool) {
	c.lock()
	defer c.mu.Unlock()
	c.opt.RaceTwoPosts = on
}
