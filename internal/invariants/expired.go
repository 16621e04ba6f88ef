package invariants

import (
	"slices"
	"time"
)

// expired checks which backups of a volume should be gone by now. It is called before something happens to them, and
// at the end of the journal.
func (c *checker) expired(volume string, now time.Time) {
	if c.Schedule == nil {
		return
	}
	for _, b := range c.volumes[volume] {
		if !b.requested.Ours || b.state == Removed || b.state == Requested || !b.hangs.IsZero() {
			continue
		}
		due, ends := c.dueAt(b, now)
		if !ends || now.Sub(due) <= c.Limits.Expired {
			continue
		}
		if c.longestFree(due, now, func(h Hindrance) bool { return h.Removes && h.concerns(volume, b.requested.Project) }) > c.Limits.Expired {
			c.once("expired "+b.id(), Violation{
				Invariant: OverdueRemoval, At: now, Project: b.requested.Project, Volume: volume, Backup: b.id(), Record: c.holders[b.id()].ID,
				Text: "it is " + string(b.state) + " with data of " + b.data().Format(time.RFC3339) + ", and should be gone since " + due.Format(time.RFC3339),
			})
		}
	}
}

// dueAt returns the time after which nothing keeps a backup. ends is false while a foreign backup depends on it or
// the floor keeps it.
func (c *checker) dueAt(b *trackedBackup, now time.Time) (due time.Time, ends bool) {
	volume, project := b.requested.Volume, b.requested.Project
	due = b.since // a leftover is removed at once
	if b.state == Available {
		longest, promised := c.longest(volume, project, now)
		if !promised {
			return due, false
		}
		if c.underFloor(b, now) {
			b.keptUntil = now
			return due, false
		}
		due = longest(b)
	}
	above := c.above(b)
	for queue := []*trackedBackup{b}; len(queue) > 0; queue = queue[1:] {
		for _, id := range queue[0].children {
			child := c.backups[id]
			switch {
			case child.state == Removed || child.parent != queue[0].id():
			case !child.requested.Ours:
				return due, false
			default:
				above, queue = append(above, child), append(queue, child)
			}
		}
	}
	if longest, promised := c.longest(volume, project, now); promised {
		for _, link := range above {
			due = latest(due, longest(link))
		}
	}
	for _, w := range c.wishes[volume] {
		if w.Project == project && !w.To.IsZero() && !w.To.After(now) {
			due = latest(due, w.To) // until then the floor may have kept it
		}
	}
	due = latest(latest(due, b.keptUntil), b.noRetryBefore)
	if !due.After(now) {
		b.keptUntil = due // also after its dependents are gone
	} else {
		b.keptUntil = now
	}
	return due, true
}

// longest returns a function for how long each backup may be kept by the newest promise.
func (c *checker) longest(volume, project string, now time.Time) (until func(*trackedBackup) time.Time, promised bool) {
	var newest Promise
	for _, p := range c.Promises {
		if p.Volume == volume && p.Project == project && !p.From.After(now) && !p.Longest.IsZero() && !p.From.Before(newest.From) {
			newest, promised = p, true
		}
	}
	return func(b *trackedBackup) time.Time { return newest.Longest.After(b.data()) }, promised
}

// above returns our later incrementals up to the next full, by their dates: Cinder's listings show chains in no other
// way.
func (c *checker) above(of *trackedBackup) (all []*trackedBackup) {
	for _, b := range c.ours(of.requested.Volume, of.requested.Project) {
		switch {
		case !b.data().After(of.data()):
		case b.parent == "" && b.state != Errored:
			return all
		default:
			all = append(all, b)
		}
	}
	return all
}

// underFloor reports whether a backup is one of the newest restore points of a protected volume, or one of those
// depends on it.
func (c *checker) underFloor(b *trackedBackup, now time.Time) bool {
	w, protected := c.wish(b.requested.Volume, now)
	if !protected || w.Project != b.requested.Project {
		return false
	}
	above, points := c.above(b), c.points(b.requested.Volume, b.requested.Project)
	for _, p := range points[max(0, len(points)-c.Schedule.Floor):] {
		if slices.Contains(above, p) {
			return true
		}
		for ; p != nil; p = c.backups[p.parent] {
			if p == b {
				return true
			}
		}
	}
	return false
}
