package invariants

import "staffeln/backup"

// caps checks a creation against the caps, with our other backups in progress.
func (c *checker) caps(e Event) {
	if c.stray(c.making[e.Backup]) {
		return
	}
	var all, slow, project, zone int
	for _, b := range c.making {
		r := c.recordOf(b)
		if c.stray(b) || !r.Uncapped.IsZero() && !e.At.Before(r.Uncapped) {
			continue
		}
		all++
		if !r.Slow.IsZero() && !e.At.Before(r.Slow) {
			slow++
		}
		if b.requested.Project == e.Project {
			project++
		}
		if b.requested.Zone == e.Zone {
			zone++
		}
	}
	if c.Caps.Slow > 0 {
		slow = min(slow, c.Caps.Slow)
	}
	c.cap(e, "in all", all-slow, c.Caps.Total)
	c.cap(e, "in the project", project, c.Caps.PerProject)
	if e.Zone != "" {
		c.cap(e, "in zone "+e.Zone, zone, c.Caps.PerZone)
	}
}

func (c *checker) cap(e Event, where string, inProgress, most int) {
	if most > 0 && inProgress > most {
		c.violated(CapExceeded, e, "with it %d backups of ours were in progress %s, and the cap is %d", inProgress, where, most)
	}
}

// recordOf returns the record that a backup belongs to: the one that holds it, or else the one that its tag names.
func (c *checker) recordOf(b *trackedBackup) Record {
	if r, ok := c.holders[b.id()]; ok {
		return r
	}
	return c.records[b.requested.Tag]
}

// stray reports whether a backup is the second one of a request that Cinder carried out after we had given it up: it
// was never admitted.
func (c *checker) stray(b *trackedBackup) bool {
	r := c.recordOf(b)
	return r.Reason == backup.TwinBackup || r.Backup != "" && r.Backup != b.id()
}
