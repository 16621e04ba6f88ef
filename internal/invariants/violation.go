package invariants

import (
	"strings"
	"time"
)

// A Law is the name of one thing that must hold.
type Law string

// The laws.
const (
	Overlap            Law = "overlap"              // two backups of one volume in progress at once, both by our doing
	Orphan             Law = "orphan"               // Cinder has a backup of ours that no record holds
	LostRecord         Law = "lost_record"          // a record that has not ended names a backup that Cinder does not have
	StuckRecord        Law = "stuck_record"         // a record has not ended, and nothing explains it any more
	FalseRecord        Law = "false_record"         // a record says otherwise than Cinder what its backup is
	Duplicate          Law = "duplicate"            // two records hold one backup
	IllegalChain       Law = "illegal_chain"        // an incremental stands on what cannot carry it
	WrongProject       Law = "wrong_project"        // a backup was made in another project than its volume's
	CapExceeded        Law = "cap_exceeded"         // more backups of ours were in progress at once than the caps allow
	EarlyRemoval       Law = "early_removal"        // a good backup was removed before its retention was over
	FloorBroken        Law = "floor_broken"         // one of the newest restore points of a protected volume was removed
	ParentRemovedFirst Law = "parent_removed_first" // a backup was removed while others stood on it
	ForeignToken       Law = "foreign_token"        // a deletion was asked for with a token of another project than the owner's
	ForeignTouched     Law = "foreign_touched"      // we removed a backup that is not ours
	FalseReport        Law = "false_report"         // something was told that did not happen, or to somebody whom it does not concern
)

// Laws lists all of them.
var Laws = []Law{
	Overlap, Orphan, LostRecord, StuckRecord, FalseRecord, Duplicate, IllegalChain, WrongProject, CapExceeded,
	EarlyRemoval, FloorBroken, ParentRemovedFirst, ForeignToken, ForeignTouched, FalseReport,
}

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
