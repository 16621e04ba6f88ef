package invariants

import "time"

// judge compares what was told with the journal.
func (c *checker) judge(t Told) {
	id := t.Backup
	if id == "" {
		id = c.records[t.Record].Backup
	}
	b := c.backups[id]
	lie := func(format string, args ...any) {
		c.violated(FalseReport, Event{At: t.At, Project: t.Project, Volume: t.Volume, Backup: id}, "told as "+string(t.What)+", and "+format, args...)
		c.found[len(c.found)-1].Record = t.Record
	}
	owner, known := c.owner(t, b)
	if known && t.Project != "" && owner != t.Project {
		lie("it is project %s's", owner)
	}
	happened := func(at time.Time) bool { return !at.IsZero() && !at.After(t.At) }
	switch t.What {
	case ToldSucceeded:
		if b == nil || !happened(b.made) {
			lie("Cinder had not made it")
		}
	case ToldRemoved:
		if b == nil || !happened(b.removed) {
			lie("Cinder still had it")
		}
	case ToldFailed:
		c.judgeFailed(t, b, lie)
	case ToldLate:
		if p := c.young(t); p != nil {
			lie("its restore point %s was %s old", p.id(), t.At.Sub(p.data()))
		}
	default:
		lie("no such thing can be told")
	}
}

// judgeFailed compares a failure with what Cinder had at the moment that is told of: others may reset what failed, and
// Cinder may still make what we have given up. Of the same moment either may be true.
func (c *checker) judgeFailed(t Told, b *held, lie func(string, ...any)) {
	of := t.Of
	if of.IsZero() {
		of = t.At
	}
	if of.After(t.At) {
		lie("that moment had not come")
	}
	if b == nil {
		return
	}
	if gone, known := c.Gone[b.requested.Project]; known && !gone.After(of) {
		return // with no token nobody can see what became of it
	}
	if !b.made.IsZero() && b.made.Before(of) {
		lie("Cinder had made it")
	}
}

// owner is the project that a line of a report concerns.
func (c *checker) owner(t Told, b *held) (project string, known bool) {
	if b != nil {
		return b.requested.Project, true
	}
	r, known := c.records[t.Record]
	return r.Project, known
}

// young is a restore point of the volume that was not late yet at the moment that is told of; nil: none.
func (c *checker) young(t Told) *held {
	for _, b := range c.volumes[t.Volume] {
		fresh := b.requested.Ours && t.At.Sub(b.data()) <= c.Limits.Late
		stood := !b.available.IsZero() && b.available.Before(t.At) && (b.left.IsZero() || b.left.After(t.At))
		if fresh && stood && c.mustKnow(b, t.At) {
			return b
		}
	}
	return nil
}

// mustKnow tells whether we saw before that moment that Cinder had made a backup, or should have.
func (c *checker) mustKnow(b *held, by time.Time) bool {
	seen := c.holders[b.id()].Seen
	return !seen.IsZero() && !seen.After(by) || by.Sub(b.available) >= c.Limits.Seen
}
