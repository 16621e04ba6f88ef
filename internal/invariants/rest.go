package invariants

import (
	"fmt"
	"time"

	"staffeln/backup"
)

// CheckNow returns all violations at one moment.
func CheckNow(s Snapshot) []Violation {
	found := atRest(s)
	making := map[string]string{} // our backup that Cinder is making, by volume
	for _, b := range s.Backups {
		if !b.Ours || b.Status != backup.StatusCreating {
			continue
		}
		if other, twice := making[b.Volume]; twice {
			found = append(found, Violation{
				Invariant: Overlap, Project: b.Project, Volume: b.Volume, Backup: b.ID, Text: fmt.Sprintf("in progress while backup %s of the volume is", other),
			})
		}
		making[b.Volume] = b.ID
	}
	return append(found, unrestorable(s)...)
}

// rest is the state at one moment, indexed by ID.
type rest struct {
	Snapshot

	holders       map[string]Record // by backup ID
	backups       map[string]Backup
	waiting       map[string]bool // records that wait for the response to their request
	inProgress    map[string]Record
	hasDependents map[string]bool // backups that others depend on
	found         []Violation
}

// atRest returns what is wrong with the current backups and records, with or without a journal of their history.
func atRest(s Snapshot) []Violation {
	n := rest{
		Snapshot: s, holders: map[string]Record{}, backups: map[string]Backup{}, waiting: map[string]bool{}, inProgress: map[string]Record{},
		hasDependents: map[string]bool{},
	}
	for _, b := range s.Backups {
		n.backups[b.ID] = b
	}
	for _, chain := range chains(s.Backups) {
		for _, l := range chain[:len(chain)-1] {
			n.hasDependents[l.BackupID] = true
		}
	}
	for _, r := range s.Records {
		n.enter(r)
	}
	for _, b := range s.Backups {
		if b.Ours {
			n.orphan(b)
		}
	}
	for _, r := range s.Records {
		n.judge(r)
	}
	return n.found
}

func (n *rest) violated(invariant Invariant, r Record, format string, args ...any) {
	n.found = append(n.found, Violation{
		Invariant: invariant, Project: r.Project, Volume: r.Volume, Backup: r.Backup, Record: r.ID, Text: fmt.Sprintf(format, args...),
	})
}

// enter adds a record to the index, and finds two records where only one is allowed.
func (n *rest) enter(r Record) {
	if r.State.InProgress() {
		if other, twice := n.inProgress[r.Volume]; twice {
			n.violated(Overlap, r, "the record is %s, and so is record %s of the volume (%s)", r.State, other.ID, other.State)
		}
		n.inProgress[r.Volume] = r
		n.waiting[r.ID] = r.Backup == ""
	}
	if r.Backup == "" {
		return
	}
	if other, twice := n.holders[r.Backup]; twice {
		n.violated(Duplicate, r, "record %s holds the same backup", other.ID)
	}
	n.holders[r.Backup] = r
}

// unsettled reports whether a record changed since the listing began: Cinder's data may be older.
func (n *rest) unsettled(r Record) bool { return !n.Listed.IsZero() && !r.Changed.Before(n.Listed) }

// orphan finds a backup of ours without a record. A record that waits for the response to its request counts as the
// record of the backup whose tag names it. A snapshot that was just listed does not wait for a reconcile run: its reader
// asks whether Cinder and the records agree now.
func (n *rest) orphan(b Backup) {
	as := Record{Project: b.Project, Volume: b.Volume, Backup: b.ID}
	switch r, known := n.holders[b.ID]; {
	case known && r.State == backup.Deleted && !n.unsettled(r):
		as.ID = r.ID
		n.violated(Orphan, as, "Cinder has it, and its record is deleted")
	case !known && !n.waiting[b.Tag] && (!n.Listed.IsZero() || !n.within(n.Limits.Reconcile, b.Since, b.Data)):
		n.violated(Orphan, as, "Cinder has it, and no record does")
	}
}

// within reports whether the limit (0: none) has not passed since the latest of the times.
func (n *rest) within(limit time.Duration, times ...time.Time) bool {
	var last time.Time
	for _, t := range times {
		last = latest(last, t)
	}
	return !n.Now.IsZero() && limit > 0 && n.Now.Sub(last) <= limit
}

// judge checks one record against Cinder.
func (n *rest) judge(r Record) {
	b, there := n.backups[r.Backup]
	switch {
	case n.unsettled(r):
		return
	case there:
		n.compare(r, b)
	case r.Backup != "" && (r.State.InProgress() || r.State == backup.Available):
		n.violated(LostRecord, r, "the record is %s, and Cinder does not have its backup", r.State)
		return
	}
	if why := n.stuck(r, b, there); why != "" {
		n.violated(StuckRecord, r, "the record is %s: %s", r.State, why)
	}
}

// compare finds a record that differs from its backup in Cinder.
func (n *rest) compare(r Record, b Backup) {
	switch {
	case b.Foreign:
		n.violated(FalseRecord, r, "its backup is not ours")
	case r.Volume != b.Volume:
		n.violated(FalseRecord, r, "its backup is of volume %s", b.Volume)
	case r.Project != "" && r.Project != b.Project:
		n.violated(FalseRecord, r, "its backup is of project %s", b.Project)
	case r.State == backup.Available && b.Status == backup.StatusCreating:
		n.violated(FalseRecord, r, "the record is available, and Cinder is still making its backup")
	case r.State == backup.Available && r.Kind != "" && b.Kind != "" && r.Kind != b.Kind:
		n.violated(FalseRecord, r, "the record is of kind %s, and the backup in Cinder is %s", r.Kind, b.Kind)
	}
}
