package invariants

import (
	"fmt"
	"time"

	"staffeln/backup"
)

// Check answers every violation: first those in the course of the journal, in its order, then those of its end, then
// those of what was told.
func Check(f Facts) []Violation {
	c := checker{
		Facts: f, backups: map[string]*held{}, volumes: map[string][]*held{}, holders: map[string]Record{}, records: map[string]Record{},
		making: map[string]*held{},
	}
	for _, r := range f.Records {
		c.records[r.ID], c.holders[r.Backup] = r, r
	}
	for _, e := range f.Journal {
		c.follow(e)
	}
	c.found = append(c.found, atRest(Snapshot{Now: f.Now, Backups: c.now(), Records: f.Records, Limits: f.Limits})...)
	for _, t := range f.Told {
		c.judge(t)
	}
	return c.found
}

// held is a backup as the journal has it up to now.
type held struct {
	requested Event
	parent    string
	children  []string
	state     EventKind
	since     time.Time
	// Zero: it did not happen.
	made, available, left, removed time.Time // made: for the first time; left: when it was a restore point no longer
}

func (b *held) id() string { return b.requested.Backup }

// data is the time of its data: Cinder dates it by whole seconds.
func (b *held) data() time.Time { return b.requested.At.Truncate(time.Second) }

type checker struct {
	Facts

	backups map[string]*held
	volumes map[string][]*held // backups by volume, as they were requested
	order   []*held            // all of them
	making  map[string]*held   // ours that Cinder is making, by backup
	holders map[string]Record  // by backup
	records map[string]Record  // by ID
	found   []Violation
}

func (c *checker) violated(law Law, e Event, format string, args ...any) {
	c.found = append(c.found, Violation{
		Law: law, At: e.At, Project: e.Project, Volume: e.Volume, Backup: e.Backup, Record: c.holders[e.Backup].ID,
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
	} else {
		delete(c.making, e.Backup)
	}
	switch {
	case e.Kind != Available && b.state == Available:
		b.left = e.At
	case e.Kind == Available:
		b.available, b.left = e.At, time.Time{}
		if b.made.IsZero() {
			b.made = e.At
		}
		if e.Full {
			b.parent = ""
		}
	}
	if e.Kind == Removed {
		b.removed = e.At
	}
	b.state, b.since = e.Kind, e.At
}

func (c *checker) request(e Event) {
	b := &held{requested: e, parent: e.Parent, state: Requested, since: e.At}
	if e.Ours {
		for _, other := range c.volumes[e.Volume] {
			if c.making[other.id()] != nil {
				c.violated(Overlap, e, "asked for while backup %s of the volume was in progress", other.id())
			}
		}
		if why := c.unusable(e); why != "" {
			c.violated(IllegalChain, e, "built on %s, which %s", e.Parent, why)
		}
		if e.Home != "" && e.Home != e.Project {
			c.violated(WrongProject, e, "made in project %s, and its volume is project %s's", e.Project, e.Home)
		}
		c.making[e.Backup] = b
	}
	c.backups[e.Backup] = b
	c.volumes[e.Volume] = append(c.volumes[e.Volume], b)
	c.order = append(c.order, b)
	if p := c.backups[e.Parent]; p != nil {
		p.children = append(p.children, e.Backup)
	}
	if e.Ours {
		c.caps(e)
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

// now is what Cinder has at the end of the journal.
func (c *checker) now() (all []Backup) {
	words := map[EventKind]backup.Status{
		Requested: backup.StatusCreating, Available: backup.StatusAvailable, Errored: backup.StatusError, RemovalAsked: backup.StatusDeleting,
	}
	for _, b := range c.order {
		if b.state == Removed {
			continue
		}
		kind := backup.Full
		if b.parent != "" {
			kind = backup.Incremental
		}
		all = append(all, Backup{
			ID: b.id(), Volume: b.requested.Volume, Project: b.requested.Project, Ours: b.requested.Ours, Foreign: !b.requested.Ours,
			Tag: b.requested.Tag, Status: words[b.state], Kind: kind, Data: b.data(), Since: b.since,
		})
	}
	return all
}
