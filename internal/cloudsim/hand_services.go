package cloudsim

import "time"

// SetBackupService takes cinder-backup away or starts it. While it is down creations are accepted and wait,
// deletions, restores and resets are refused with a 404. A start cleans up first, as a restart does.
func (c *Cloud) SetBackupService(up bool) {
	c.lock()
	defer c.mu.Unlock()
	c.setBackupService(up)
}

// RestartBackupService kills cinder-backup and starts it again: what was being made becomes error, deletions
// are taken up again, but those of encrypted volumes become error_deleting.
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

// killed is the same run under another identity, so that its planned end does not find it.
func (r *run) killed() *run {
	if r == nil {
		return nil
	}
	dead := *r
	return &dead
}

// cleanUp is what cinder-backup does at its start with whatever it finds unfinished.
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
	default: // a run that outlived a reset by an admin
		if b.making != nil {
			c.returnVolume(b.making)
			b.making = nil
		}
	}
}

// SetKeyManager takes Barbican away or brings it back.
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

// BreakTarget lets every creation asked for from now on fail for this reason; empty mends the target.
func (c *Cloud) BreakTarget(reason string) {
	c.lock()
	defer c.mu.Unlock()
	c.targetBroken = reason
	c.note(Event{Kind: ServiceChanged, Detail: "backup target: " + or(reason, "good")})
}

// SetCinderSkew sets Cinder's clock ahead of the cloud's, or behind it. What it writes from now on bears its time: created_at,
// updated_at and data_timestamp; what it does takes as long as ever.
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
