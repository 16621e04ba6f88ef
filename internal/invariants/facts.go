// Package invariants checks what must always hold, whatever dies, stalls, lies or comes back. It checks plain facts and
// names each violation with the objects that it is about.
//
// The facts come from the cloud's own journal, from our tables, and from a test that knows what tenants want (intent.go).
// The package must not use our client of the cloud or the code of a decision: it has to find what those get wrong.
//
// [Check] judges a whole history, where somebody kept a journal. [CheckNow] judges one moment: what Cinder lists now and
// what our records say. A fact that is left out is not judged.
package invariants

import (
	"time"

	"staffeln/backup"
)

// Facts are all that is judged: a journal from its beginning, and the records as they are at its end.
type Facts struct {
	// Now is the end of the journal, by the database's clock; zero: nothing is judged by its age.
	Now     time.Time
	Journal []Event // in the order in which it happened
	Records []Record

	Limits Limits
	Caps   Caps
	// Promises say what was promised for which volume and when. A volume without a promise is judged by its records.
	Promises []Promise
	// ShortenDelay is how long a shorter retention waits before it takes effect.
	ShortenDelay time.Duration
	// Grace is how long the floor still holds after a promise ended.
	Grace time.Duration
	// Gone are the projects that Keystone no longer knows, since when. No token of theirs can be had.
	Gone map[string]time.Time
	// Wishes say who wanted what protected; nil: not judged.
	Wishes     []Wish
	Hindrances []Hindrance
	// Schedule, with Wishes and Hindrances, says when backups were due and of which kind; nil: not judged.
	Schedule *Schedule
	Shown    []Shown // by time
	Reports  []ReportLine
}

// A Snapshot is one moment, where nobody kept a journal. The records are read after the listing: what is made between has
// a record by then. A backup may be a step ahead of its record, so look twice.
type Snapshot struct {
	Now     time.Time // the database's clock, when the records were read
	Listed  time.Time // the same when the listing began; records that changed since are not judged by it. Zero: the same moment
	Backups []Backup
	Records []Record
	Limits  Limits
}

// EventKind says what happened to a backup.
type EventKind string

// What happens to a backup, as the cloud saw it.
const (
	Requested    EventKind = "requested"     // its creation was accepted
	Available    EventKind = "available"     // it was made, and can be restored
	Errored      EventKind = "errored"       // it, or its removal, failed
	RemovalAsked EventKind = "removal_asked" // its deletion was accepted
	Removed      EventKind = "removed"       // it is gone
	Hangs        EventKind = "hangs"         // its removal can't end: its key can't be deleted
	Updated      EventKind = "updated"       // its name or metadata changed
	Resized      EventKind = "resized"       // its volume was extended; no backup is named
)

// An Event is one entry of the cloud's journal. The time is the cloud's.
type Event struct {
	At   time.Time
	Kind EventKind
	// Backup, Volume and Project name what it happened to; Project is the backup's owner.
	Backup, Volume, Project string
	// Ours says that this installation's user asked for it.
	Ours bool
	// Scope is the project of the token that asked.
	Scope string
	// Parent is what a requested backup builds on; empty for a full. A driver may still make a full of it.
	Parent string
	// Tag is the record that the tag of a requested backup names, where that is known.
	Tag string
	// Home and Zone are the volume's project and availability zone when its backup was requested, where they are known.
	Home, Zone string
	// Full says of a backup that became available that it stands on nothing.
	Full bool
	// Reset says that somebody set the backup's status; nothing became of it.
	Reset bool
}

// A Backup is one that Cinder has now.
type Backup struct {
	ID, Volume, Project string
	Ours                bool   // our tag, and not certainly made by another user than ours
	Foreign             bool   // certainly made by another user, or for another installation
	Tag                 string // the record that its tag names; empty: none
	Status              backup.Status
	Kind                backup.Kind // empty: not known
	Data                time.Time   // Cinder's data timestamp
	Since               time.Time   // when it came into its status; zero: not known
}

// A Record is what our tables say of one backup. A time that is not set is zero.
type Record struct {
	ID, Project, Volume string
	Backup              string // Cinder's ID; empty before an answer
	State               backup.State
	Kind                backup.Kind
	Reason              backup.Reason // of its state
	Removal             backup.Reason // why it is or was removed
	// Retention in force, counted from the time of the data.
	Retention backup.Period
	Paused    bool      // nothing new may start in its project
	Changed   time.Time // when it came into its state
	Admitted  time.Time // when the caps let it through
	Asked     time.Time // newest request to Cinder, for creation or removal
	Deadline  time.Time // past it, creating becomes overdue
	NextTry   time.Time // nothing is tried again before
	Slow      time.Time // since when it may have left its place in the cap on all, being far beyond its usual time
	Uncapped  time.Time // since when it may have left all caps, being overdue or at its end, whatever Cinder still does
	Seen      time.Time // when we saw that Cinder had made its backup
}

// Limits say how long things may take before nothing explains them any more; 0: not judged.
type Limits struct {
	Step    time.Duration // until a record that can go on is looked at again
	Removal time.Duration // until a removal that was asked for ends, or is given up; also until a leftover is removed
	Sweep   time.Duration // until Cinder's backups are compared with our records. 0: no backup may wait for that
	Late    time.Duration // age of the newest restore point's data beyond which a volume is late
	Seen    time.Duration // until we see what Cinder made: what is reported meanwhile need not know of it. 0: it must at once
	Expired time.Duration // until a backup that nothing keeps any more is gone
}

// Caps bound the backups of ours that are in progress at once; 0: no bound.
type Caps struct {
	Total, PerProject, PerZone int
	// Stuck bounds how many slow ones leave their place in Total; 0: no bound.
	Stuck int
}

// A Promise is what held for a volume from From (inclusive) to To (exclusive; zero: until the end), to the project that
// owned it: of what the project owns of the volume, the newest Floor restore points are never removed, and none before
// Retention is over. It is broken even where the volume is another's by then. With Before it is about those alone that
// were asked for before that time.
type Promise struct {
	Volume, Project string
	From, To        time.Time
	Before          time.Time
	Floor           int
	Retention       backup.Period // empty: nothing was promised
	Longest         backup.Period // how long a backup may be kept; empty: not judged
}

// ReportedAs says as what a report names a backup or a volume.
type ReportedAs string

// As what reports name something.
const (
	ReportedSucceeded ReportedAs = "succeeded"
	ReportedFailed    ReportedAs = "failed"
	ReportedRemoved   ReportedAs = "removed"
	ReportedLate      ReportedAs = "late" // of a volume: its newest restore point is older than Limits.Late
)

// A ReportLine is one line of a report that was sent.
type ReportLine struct {
	At      time.Time // when the report was made
	Of      time.Time // the moment of a failure; zero: At
	Project string    // who got it; empty: the operator
	Volume  string
	Backup  string // empty: Cinder never named one, or the line is about the volume
	Record  string // empty: the line is about the volume
	What    ReportedAs
}
