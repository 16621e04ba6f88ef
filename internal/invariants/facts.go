// Package invariants checks what must always be true, even if anything fails, stalls, returns wrong data or comes back. It
// checks plain facts and reports each violation with its objects.
//
// The facts come from the cloud's own journal, from our tables, and from a test that knows what tenants want
// (intent.go). The package must not use our OpenStack client or the code of a decision, because it has to find their
// errors.
//
// [Check] checks a whole history, for which there is a journal. [CheckNow] checks one moment: Cinder's listing and
// our records now. A fact that is left out is not checked.
package invariants

import (
	"time"

	"staffeln/backup"
)

// Facts is the input of [Check]: a journal from its beginning, and the records at its end.
type Facts struct {
	// Now is the end of the journal, by the database's clock; zero disables the checks of age.
	Now     time.Time
	Journal []Event // in the order in which it happened
	Records []Record

	Limits Limits
	Caps   Caps
	// Promises are the retentions that were promised, for each volume and time. A volume without a promise is checked
	// against its records.
	Promises []Promise
	// ShortenDelay is how long a shorter retention is delayed.
	ShortenDelay time.Duration
	// Grace is how long the floor applies after a promise ended.
	Grace time.Duration
	// Gone are the projects that Keystone no longer has, and since when. There is no token for them any more.
	Gone map[string]time.Time
	// Wishes are who wanted what protected; nil: not checked.
	Wishes     []Wish
	Hindrances []Hindrance
	// Schedule, with Wishes and Hindrances, defines when backups were due and of which kind; nil: not checked.
	Schedule *Schedule
	Shown    []Shown // in time order
	Reports  []ReportLine
}

// A Snapshot is one moment without a journal. The records are read after the listing, so a backup made in between has
// a record. A backup may be one step ahead of its record, so take two snapshots.
type Snapshot struct {
	Now     time.Time // the database's clock, when the records were read
	Listed  time.Time // when the listing began; records that changed since are not checked against it. Zero: same as Now
	Backups []Backup
	Records []Record
	Limits  Limits
}

// An EventKind is what happened to a backup.
type EventKind string

// The kinds of events, as the cloud sees them.
const (
	Requested    EventKind = "requested"     // its creation was accepted
	Available    EventKind = "available"     // it was made, and can be restored
	Errored      EventKind = "errored"       // the backup, or its removal, failed
	RemovalAsked EventKind = "removal_asked" // its deletion was accepted
	Removed      EventKind = "removed"       // it is gone
	Hangs        EventKind = "hangs"         // its removal can't end: its key can't be deleted
	Updated      EventKind = "updated"       // its name or metadata changed
	Resized      EventKind = "resized"       // its volume was extended; no backup is named
)

// An Event is one entry of the cloud's journal. Its time is the cloud's.
type Event struct {
	At   time.Time
	Kind EventKind
	// Backup, Volume and Project are the objects of the event; Project owns the backup.
	Backup, Volume, Project string
	// Ours reports that this installation's user requested it.
	Ours bool
	// Scope is the project of the request's token.
	Scope string
	// Parent is the parent of a requested backup; empty for a full. A driver may still make a full.
	Parent string
	// Tag is the record in the tag of a requested backup, if known.
	Tag string
	// Home and Zone are the volume's project and availability zone when its backup was requested, if known.
	Home, Zone string
	// Full reports that a backup that became available depends on no other.
	Full bool
	// Reset reports that a user set the backup's status; no operation ended with it.
	Reset bool
}

// A Backup is a backup that Cinder has now.
type Backup struct {
	ID, Volume, Project string
	Ours                bool   // it has our tag, and was not certainly made by a user other than ours
	Foreign             bool   // certainly made by another user, or for another installation
	Tag                 string // record that its tag names; empty if none
	Status              backup.Status
	Kind                backup.Kind // empty if unknown
	Data                time.Time   // Cinder's data timestamp
	Since               time.Time   // when it entered its status; zero if unknown
}

// A Record is our record of one backup. A time that is not set is zero.
type Record struct {
	ID, Project, Volume string
	Backup              string // Cinder's ID; empty before a response
	State               backup.State
	Kind                backup.Kind
	Reason              backup.Reason // reason of its state
	Removal             backup.Reason // why it is being or was removed
	// Retention is the one in force, counted from the time of the data.
	Retention backup.Period
	Paused    bool      // nothing new may start in its project
	Changed   time.Time // when it entered its state
	Admitted  time.Time // when admission let it through
	Asked     time.Time // newest request to Cinder, for creation or removal
	Deadline  time.Time // after it, a creating record becomes overdue
	NextTry   time.Time // no attempt before this time
	Slow      time.Time // since when it may have left its slot under the total cap, because it is far beyond its usual time
	Uncapped  time.Time // since when it may have left all caps, because it is overdue or ended, also if Cinder still works on it
	Seen      time.Time // when we saw that Cinder had made its backup
}

// Limits are how long things may take before it counts as a violation; 0: not checked.
type Limits struct {
	Step      time.Duration // until a record that can continue is processed again
	Removal   time.Duration // until a requested removal ends or is given up; also until a leftover is removed
	Reconcile time.Duration // until Cinder's backups are compared with our records; 0, and with Listed: no backup may wait for that
	Late      time.Duration // age of the newest restore point's data beyond which a volume is late
	Seen      time.Duration // until we see what Cinder made: until then a report need not include it. 0: no delay
	Expired   time.Duration // until a backup that nothing keeps is gone
}

// Caps are the limits on our backups in progress at the same time; 0: no limit.
type Caps struct {
	Total, PerProject, PerZone int
	// Slow is the maximum number of slow backups that leave their slot in Total; 0: no limit.
	Slow int
}

// A Promise applied to a volume from From (inclusive) to To (exclusive; zero: until the end), for the project that
// owned the volume: the newest Floor restore points of that project are never removed, and no restore point is
// removed before its retention is over. It remains valid if another project owns the volume later. With Before, it
// applies only to backups that were requested before that time.
type Promise struct {
	Volume, Project string
	From, To        time.Time
	Before          time.Time
	Floor           int
	Retention       backup.Period // empty if nothing was promised
	Longest         backup.Period // how long a backup may be kept; empty: not checked
}

// A ReportedAs is the result under which a report lists a backup or a volume.
type ReportedAs string

// The results in a report.
const (
	ReportedSucceeded ReportedAs = "succeeded"
	ReportedFailed    ReportedAs = "failed"
	ReportedRemoved   ReportedAs = "removed"
	ReportedLate      ReportedAs = "late" // for a volume: its newest restore point is older than Limits.Late
)

// A ReportLine is one line of a report that was sent.
type ReportLine struct {
	At      time.Time // when the report was made
	Of      time.Time // time of a failure; zero: At
	Project string    // recipient; empty for the operator
	Volume  string
	Backup  string // empty if Cinder never returned an ID, or if the line is about the volume
	Record  string // empty if the line is about the volume
	What    ReportedAs
}
