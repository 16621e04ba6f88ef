package invariants

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"staffeln/backup"
)

// Check returns all violations: first those within the journal, in its order, then those at its end, then those of
// the reports.
func Check(f Facts) []Violation {
	c := checker{
		Facts: f, backups: map[string]*trackedBackup{}, volumes: map[string][]*trackedBackup{}, holders: map[string]Record{}, records: map[string]Record{},
		making: map[string]*trackedBackup{}, wishes: map[string][]Wish{}, disturbances: map[string]time.Time{}, resized: map[string]time.Time{},
		uncertain: map[string]time.Time{}, removedByOthers: map[string]time.Time{}, reported: map[string]bool{}, judged: map[string]int{},
	}
	c.Hindrances = slices.SortedStableFunc(slices.Values(f.Hindrances), func(a, b Hindrance) int { return a.From.Compare(b.From) })
	for _, w := range f.Wishes {
		c.wishes[w.Volume] = append(c.wishes[w.Volume], w)
	}
	for _, r := range f.Records {
		c.records[r.ID], c.holders[r.Backup] = r, r
	}
	shown := f.Shown
	for _, e := range f.Journal {
		for len(shown) > 0 && shown[0].At.Before(e.At) {
			c.judgeShown(shown[0])
			shown = shown[1:]
		}
		c.follow(e)
	}
	for _, s := range shown {
		c.judgeShown(s)
	}
	c.ended()
	c.found = append(c.found, atRest(Snapshot{Now: f.Now, Backups: c.now(), Records: f.Records, Limits: f.Limits})...)
	for _, line := range f.Reports {
		c.judge(line)
	}
	return c.found
}

// trackedBackup is the state of a backup up to the current event of the journal.
type trackedBackup struct {
	requested Event
	parent    string
	children  []string
	state     EventKind
	since     time.Time
	// A zero time means that it did not happen.
	made, available, left, removed time.Time // made: for the first time; left: when it stopped being a restore point
	hangs                          time.Time // since when its removal can't end
	keptUntil                      time.Time // the floor kept it at least until then
	noRetryBefore                  time.Time // its removal is not tried again until then
}

func (b *trackedBackup) id() string { return b.requested.Backup }

// data returns the time of its data, which Cinder truncates to whole seconds.
func (b *trackedBackup) data() time.Time { return b.requested.At.Truncate(time.Second) }

type checker struct {
	Facts

	backups map[string]*trackedBackup
	volumes map[string][]*trackedBackup // backups by volume, in the order of their requests
	order   []*trackedBackup            // all backups
	making  map[string]*trackedBackup   // our backups that Cinder is making, by backup ID
	holders map[string]Record           // by backup ID
	records map[string]Record           // by ID
	wishes  map[string][]Wish           // by volume
	judged  map[string]int              // number of wishes that are over, by volume
	found   []Violation

	// By volume: the time of the last change to its backups that the schedule does not explain; when it was extended;
	// until when we can't know that a restore point is gone; and when others last removed one.
	disturbances, resized, uncertain, removedByOthers map[string]time.Time
	reported                                          map[string]bool // violations that may last, so that each is reported once
}

func (c *checker) violated(invariant Invariant, e Event, format string, args ...any) {
	c.found = append(c.found, Violation{
		Invariant: invariant, At: e.At, Project: e.Project, Volume: e.Volume, Backup: e.Backup, Record: c.holders[e.Backup].ID,
		Text: fmt.Sprintf(format, args...),
	})
}

// follow processes one event of the journal.
func (c *checker) follow(e Event) {
	c.missed(e.Volume, e.At)
	c.expired(e.Volume, e.At)
	b := c.backups[e.Backup]
	switch {
	case e.Kind == Requested:
		c.request(e)
		return
	case e.Kind == Resized:
		c.resized[e.Volume] = e.At
		return
	case b == nil:
		return // requested before the journal began
	}
	c.disturb(e, b)
	if e.Kind == Hangs {
		b.hangs = e.At
		return
	}
	if e.Kind == Updated {
		if e.Ours && !b.requested.Ours {
			c.violated(ForeignTouched, e, "a backup that is not ours was changed by us")
		}
		return
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
	if e.Reset {
		b.hangs, b.noRetryBefore = time.Time{}, e.At.Add(24*time.Hour) // a backup that could not be removed is tried again daily
	}
	b.state, b.since = e.Kind, e.At
}

// disturb records external changes to a volume's chain.
func (c *checker) disturb(e Event, b *trackedBackup) {
	if e.Reset || e.Kind == Errored || e.Kind == Updated && !e.Ours || e.Kind == RemovalAsked && !e.Ours && b.requested.Ours {
		c.disturbances[e.Volume] = e.At
	}
	if e.Kind == RemovalAsked && !e.Ours && b.requested.Ours {
		c.removedByOthers[e.Volume], c.uncertain[e.Volume] = e.At, e.At.Add(c.Limits.Reconcile)
	}
}

// ended checks what is due at the end of the journal.
func (c *checker) ended() {
	if c.Now.IsZero() {
		return
	}
	for _, volume := range slices.Sorted(maps.Keys(c.wishes)) {
		c.missed(volume, c.Now)
	}
	for _, volume := range slices.Sorted(maps.Keys(c.volumes)) {
		c.expired(volume, c.Now)
	}
}

func (c *checker) request(e Event) {
	b := &trackedBackup{requested: e, parent: e.Parent, state: Requested, since: e.At}
	if !e.Ours {
		c.disturbances[e.Volume] = e.At
	}
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
		if e.Scope != e.Project {
			c.violated(ForeignToken, e, "asked for with a token of project %q", e.Scope)
		}
		c.wanted(e)
		c.scheduled(e)
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

// unusable returns why an incremental can't be built on its parent; empty if it can, and for a full.
func (c *checker) unusable(e Event) string {
	for id := e.Parent; id != ""; {
		b := c.backups[id]
		whose := "an indirect parent, " + id + ","
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

// now returns the backups that Cinder has at the end of the journal.
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
