// Package laws is what must always hold, whatever dies, stalls, lies or returns: one checker over plain facts, which
// names each violation with the objects that it is about.
//
// The facts come from the cloud's own journal and from our tables, through the small types of this file. The checker
// must not know our adapter to the cloud or how a decision is made: what those get wrong is to be found here.
package laws

import (
	"strings"
	"time"

	"staffeln/backup"
)

// Facts are all that the laws look at: a journal from its beginning, and the records as they are at its end.
type Facts struct {
	Journal []Event // in the order in which it happened
	Records []Record
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
)

// An Event is one entry of the cloud's journal. The time is the cloud's.
type Event struct {
	At   time.Time
	Kind EventKind
	// Backup, Volume and Project name what it happened to; Project is the owner's.
	Backup, Volume, Project string
	// Ours says that this installation's user asked for it.
	Ours bool
	// Scope is the project of the token that asked.
	Scope string
	// Parent is what a requested backup builds on; empty for a full. A driver may still make a full of it.
	Parent string
	// Tag is the record that the tag of a requested backup names, where that is known.
	Tag string
	// Full says of a backup that became available that it stands on nothing.
	Full bool
}

// A Record is what our tables say of one backup.
type Record struct {
	ID, Volume string
	Backup     string // Cinder's ID; empty before an answer
	State      backup.State
	// Retention in force, counted from the time of the data.
	Retention backup.Period
}

// A Law is the name of one thing that must hold.
type Law string

// The laws.
const (
	Overlap            Law = "overlap"              // two backups of one volume in progress at once, both by our doing
	Orphan             Law = "orphan"               // Cinder has a backup of ours that no record holds
	LostRecord         Law = "lost_record"          // a record that has not ended names a backup that Cinder does not have
	IllegalChain       Law = "illegal_chain"        // an incremental was made on a parent that cannot carry it
	EarlyRemoval       Law = "early_removal"        // a good backup was removed before its retention was over
	ParentRemovedFirst Law = "parent_removed_first" // a backup was removed while others stood on it
	ForeignToken       Law = "foreign_token"        // a deletion was asked for with a token of another project than the owner's
	ForeignTouched     Law = "foreign_touched"      // we removed a backup that is not ours
)

// Laws lists all of them.
var Laws = []Law{Overlap, Orphan, LostRecord, IllegalChain, EarlyRemoval, ParentRemovedFirst, ForeignToken, ForeignTouched}

// A Violation is one breach of a law, with the objects that it is about. At is zero for what is wrong at the end of the
// journal rather than in its course; a name that does not apply is empty.
type Violation struct {
	Law                             Law
	At                              time.Time
	Project, Volume, Backup, Record string
	Text                            string // a sentence
}

// String writes the violation in one line.
func (v Violation) String() string {
	var b strings.Builder
	b.WriteString(string(v.Law) + ": " + v.Text)
	for _, part := range [][2]string{{"volume", v.Volume}, {"backup", v.Backup}, {"record", v.Record}, {"project", v.Project}} {
		if part[1] != "" {
			b.WriteString(", " + part[0] + " " + part[1])
		}
	}
	if !v.At.IsZero() {
		b.WriteString(", at " + v.At.UTC().Format(time.RFC3339Nano))
	}
	return b.String()
}
