package invariants

import "time"

// judge checks a line of a report against the journal.
func (c *checker) judge(l ReportLine) {
	id := l.Backup
	if id == "" {
		id = c.records[l.Record].Backup
	}
	b := c.backups[id]
	wrong := func(format string, args ...any) {
		c.violated(FalseReport, Event{At: l.At, Project: l.Project, Volume: l.Volume, Backup: id}, "reported as "+string(l.What)+", and "+format, args...)
		c.found[len(c.found)-1].Record = l.Record
	}
	owner, known := c.owner(l, b)
	if known && l.Project != "" && owner != l.Project {
		wrong("it is project %s's", owner)
	}
	happened := func(at time.Time) bool { return !at.IsZero() && !at.After(l.At) }
	switch l.What {
	case ReportedSucceeded:
		if b == nil || !happened(b.made) {
			wrong("Cinder had not made it")
		}
	case ReportedRemoved:
		if b == nil || !happened(b.removed) {
			wrong("Cinder still had it")
		}
	case ReportedFailed:
		c.judgeFailed(l, b, wrong)
	case ReportedLate:
		if p := c.young(l); p != nil {
			wrong("its restore point %s was %s old", p.id(), l.At.Sub(p.data()))
		}
	default:
		wrong("no such thing can be reported")
	}
}

// judgeFailed checks a failure against what Cinder had at that time: others may reset a failed backup, and Cinder may
// still make a backup that we have given up. At exactly that time both results are accepted.
func (c *checker) judgeFailed(l ReportLine, b *trackedBackup, wrong func(string, ...any)) {
	of := l.Of
	if of.IsZero() {
		of = l.At
	}
	if of.After(l.At) {
		wrong("that moment had not come")
	}
	if b == nil {
		return
	}
	if gone, known := c.Gone[b.requested.Project]; known && !gone.After(of) {
		return // without a token nobody can see the result
	}
	if !b.made.IsZero() && b.made.Before(of) {
		wrong("Cinder had made it")
	}
}

// owner returns the project that a line of a report is about.
func (c *checker) owner(l ReportLine, b *trackedBackup) (project string, known bool) {
	if b != nil {
		return b.requested.Project, true
	}
	r, known := c.records[l.Record]
	return r.Project, known
}

// young returns a restore point of the volume that was within the RPO when the report was made; nil if there is none.
func (c *checker) young(l ReportLine) *trackedBackup {
	for _, b := range c.volumes[l.Volume] {
		fresh := b.requested.Ours && l.At.Sub(b.data()) <= c.Limits.Late
		existed := !b.available.IsZero() && b.available.Before(l.At) && (b.left.IsZero() || b.left.After(l.At))
		if fresh && existed && c.mustKnow(b, l.At) {
			return b
		}
	}
	return nil
}

// mustKnow reports whether we saw before that time that Cinder had made a backup, or should have seen it.
func (c *checker) mustKnow(b *trackedBackup, by time.Time) bool {
	seen := c.holders[b.id()].Seen
	return !seen.IsZero() && !seen.After(by) || by.Sub(b.available) >= c.Limits.Seen
}
