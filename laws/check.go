package laws

import (
	"fmt"
	"time"

	"staffeln/backup"
)

// Check answers every violation: first those in the course of the journal, in its order, then those of its end.
func Check(f Facts) []Violation {
	c := checker{backups: map[string]*held{}, records: map[string]Record{}, making: map[string]string{}}
	for _, r := range f.Records {
		if r.Backup != "" {
			c.records[r.Backup] = r
		}
	}
	for _, e := range f.Journal {
		c.follow(e)
	}
	c.orphans(f.Records)
	c.lost(f.Records)
	return c.found
}

// held is a backup as the journal has it up to now.
type held struct {
	requested Event
	parent    string
	children  []string
	state     EventKind
}

type checker struct {
	backups map[string]*held
	order   []string          // of the backups, as they were requested
	making  map[string]string // our backup in progress by volume
	records map[string]Record // by backup
	found   []Violation
}

func (c *checker) violated(law Law, e Event, format string, args ...any) {
	c.found = append(c.found, Violation{
		Law: law, At: e.At, Project: e.Project, Volume: e.Volume, Backup: e.Backup, Record: c.records[e.Backup].ID,
		Text: fmt.Sprintf(format, args...),
	})
}

// follow takes one event of the journal.
func (c *checker) follow(e Event) {
	if e.Kind == Requested {
		c.request(e)
		return
	}
	b := c.backups[e.Backup]
	if b == nil {
		return // made before the journal began
	}
	if e.Kind == RemovalAsked {
		if e.Ours {
			c.removal(e, b)
		}
	} else if c.making[b.requested.Volume] == e.Backup {
		delete(c.making, b.requested.Volume)
	}
	if e.Kind == Available && e.Full {
		b.parent = ""
	}
	b.state = e.Kind
}

func (c *checker) request(e Event) {
	if e.Ours {
		if other := c.making[e.Volume]; other != "" {
			c.violated(Overlap, e, "asked for while backup %s of the volume was in progress", other)
		}
		c.making[e.Volume] = e.Backup
		if why := c.unusable(e); why != "" {
			c.violated(IllegalChain, e, "built on %s, which %s", e.Parent, why)
		}
	}
	c.backups[e.Backup] = &held{requested: e, parent: e.Parent, state: Requested}
	c.order = append(c.order, e.Backup)
	if p := c.backups[e.Parent]; p != nil {
		p.children = append(p.children, e.Backup)
	}
}

// unusable says why an incremental can't stand on its parent; empty where it can, and for a full.
func (c *checker) unusable(e Event) string {
	for id := e.Parent; id != ""; {
		b := c.backups[id]
		whose := "its own ground " + id
		if id == e.Parent {
			whose = "it"
		}
		switch {
		case b == nil:
			return fmt.Sprintf("is not usable: %s is not in Cinder", whose)
		case b.requested.Volume != e.Volume:
			return fmt.Sprintf("is not usable: %s is of volume %s", whose, b.requested.Volume)
		case b.requested.Project != e.Project:
			return fmt.Sprintf("is not usable: %s is of project %s", whose, b.requested.Project)
		case b.state != Available:
			return fmt.Sprintf("is not usable: %s is %s", whose, b.state)
		}
		id = b.parent
	}
	return ""
}

// removal judges a deletion that we asked for.
func (c *checker) removal(e Event, b *held) {
	if !b.requested.Ours {
		c.violated(ForeignTouched, e, "a backup that is not ours was removed by us")
	}
	if e.Scope != b.requested.Project {
		c.violated(ForeignToken, e, "its deletion was asked for with a token of project %q", e.Scope)
	}
	for _, id := range b.children {
		if child := c.backups[id]; child.parent == e.Backup && child.state != Removed {
			c.violated(ParentRemovedFirst, e, "removed while backup %s stood on it", id)
		}
	}
	r, known := c.records[e.Backup]
	if !known || b.state != Available {
		return // a leftover goes at once
	}
	// Cinder dates the data by whole seconds.
	if until := r.Retention.After(b.requested.At.Truncate(time.Second)); e.At.Before(until) {
		c.violated(EarlyRemoval, e, "removed %s before its retention of %s was over", until.Sub(e.At).Round(time.Millisecond), r.Retention)
	}
}

// orphans finds what Cinder has of ours and no record holds. A record in progress that waits for the answer to its
// request holds the backup whose tag names it.
func (c *checker) orphans(records []Record) {
	waiting := map[string]bool{}
	for _, r := range records {
		if r.Backup == "" && r.State.InProgress() {
			waiting[r.ID] = true
		}
	}
	for _, id := range c.order {
		b := c.backups[id]
		if !b.requested.Ours || b.state == Removed {
			continue
		}
		at := b.requested
		at.At = time.Time{}
		switch r, known := c.records[id]; {
		case known && r.State == backup.Deleted:
			c.violated(Orphan, at, "Cinder has it, and its record says that it was deleted")
		case !known && (b.requested.Tag == "" || !waiting[b.requested.Tag]):
			c.violated(Orphan, at, "Cinder has it, and no record does")
		}
	}
}

// lost finds records without an end whose backup Cinder does not have.
func (c *checker) lost(records []Record) {
	for _, r := range records {
		if r.Backup == "" || !r.State.InProgress() && r.State != backup.Available {
			continue
		}
		if b := c.backups[r.Backup]; b == nil || b.state == Removed {
			c.violated(LostRecord, Event{Volume: r.Volume, Backup: r.Backup}, "the record is %s, and Cinder does not have its backup", r.State)
		}
	}
}
