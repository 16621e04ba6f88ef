package invariants

import (
	"slices"
	"time"

	"staffeln/backup"
)

// removal checks a deletion that we requested.
func (c *checker) removal(e Event, b *trackedBackup) {
	if !b.requested.Ours {
		c.violated(ForeignTouched, e, "a backup that is not ours was removed by us")
	}
	// After a project is gone, the operator removes its backups as the admin.
	gone, isGone := c.Gone[b.requested.Project]
	if e.Scope != b.requested.Project && (!isGone || e.At.Before(gone)) {
		c.violated(ForeignToken, e, "its deletion was asked for with a token of project %q", e.Scope)
	}
	for _, id := range b.children {
		if child := c.backups[id]; child.parent == e.Backup && child.state != Removed {
			c.violated(ParentRemovedFirst, e, "removed while backup %s stood on it", id)
		}
	}
	r, known := c.holders[e.Backup]
	if b.state != Available || r.Reason == backup.Cancelled || r.Removal == backup.ProjectPurged || !b.requested.Ours {
		return // a leftover may be removed at once, and so may a backup that an operator gave up
	}
	until, promised := c.keptUntil(e, b)
	switch {
	case !known:
		c.violated(EarlyRemoval, e, "removed, and no record has its retention")
	case !promised:
		until = r.Retention.After(b.data())
	}
	if e.At.Before(until) {
		c.violated(EarlyRemoval, e, "removed %s before its retention was over", until.Sub(e.At).Round(time.Millisecond))
	}
	c.floor(e, b)
}

// keptUntil returns the latest end of the backup's retention by the promises that apply at the time of e: the one in
// force, and those that it replaced less than the delay ago.
func (c *checker) keptUntil(e Event, b *trackedBackup) (until time.Time, promised bool) {
	for _, p := range c.Promises {
		if p.Volume != e.Volume || p.Project != e.Project || !p.Before.IsZero() && !b.requested.At.Before(p.Before) || p.Retention.IsZero() || p.From.After(e.At) || !p.To.IsZero() && !p.To.After(e.At.Add(-c.ShortenDelay)) {
			continue
		}
		promised = true
		if end := p.Retention.After(b.data()); end.After(until) {
			until = end
		}
	}
	return until, promised
}

// floor checks the removal of a restore point against the number of newer ones that its owner has of the volume.
func (c *checker) floor(e Event, b *trackedBackup) {
	for _, p := range c.Promises {
		if p.Volume != e.Volume || p.Project != e.Project || p.From.After(e.At) || !p.To.IsZero() && !p.To.Add(c.Grace).After(e.At) {
			continue
		}
		newest := c.points(e.Volume, e.Project)
		newest = newest[max(0, len(newest)-p.Floor):]
		if slices.Contains(newest, b) {
			c.violated(FloorBroken, e, "removed while it was among the newest %d restore points of a protected volume", p.Floor)
		}
	}
}

// points returns our restore points of a volume in a project at this time, oldest data first.
func (c *checker) points(volume, project string) (points []*trackedBackup) {
	for _, b := range c.volumes[volume] {
		r := c.holders[b.id()]
		if b.requested.Ours && b.requested.Project == project && r.Reason != backup.Cancelled && c.restorable(b) {
			points = append(points, b)
		}
	}
	return points
}

// restorable reports whether a backup and everything it depends on is available.
func (c *checker) restorable(b *trackedBackup) bool {
	for ; b != nil && b.state == Available; b = c.backups[b.parent] {
		if b.parent == "" {
			return true
		}
	}
	return false
}
