package invariants

import (
	"strings"
	"time"
)

// An Invariant is the name of one condition that must always be true.
type Invariant string

// Invariants that every history must keep.
const (
	Overlap            Invariant = "overlap"              // we had two backups of one volume in progress at the same time
	Orphan             Invariant = "orphan"               // Cinder has a backup of ours without a record
	LostRecord         Invariant = "lost_record"          // a record that has not ended names a backup that Cinder does not have
	StuckRecord        Invariant = "stuck_record"         // a record has not ended, and nothing explains why
	FalseRecord        Invariant = "false_record"         // record and Cinder differ about the backup
	Duplicate          Invariant = "duplicate"            // two records have the same backup
	IllegalChain       Invariant = "illegal_chain"        // an incremental depends on a backup that it can't be built on
	WrongProject       Invariant = "wrong_project"        // a backup was made in a project that does not own its volume
	CapExceeded        Invariant = "cap_exceeded"         // more of our backups were in progress at the same time than the caps allow
	EarlyRemoval       Invariant = "early_removal"        // a good backup was removed before its retention was over
	FloorBroken        Invariant = "floor_broken"         // one of the newest restore points of a protected volume was removed
	ParentRemovedFirst Invariant = "parent_removed_first" // a backup was removed while others depended on it
	ForeignToken       Invariant = "foreign_token"        // a creation or deletion was requested with a token of a project that does not own the backup
	ForeignTouched     Invariant = "foreign_touched"      // we removed or changed a backup that is not ours
	FalseReport        Invariant = "false_report"         // a report contains what did not happen, or its recipient is not concerned
)

// Invariants that are checked if the facts include what tenants want and what hinders Staffeln.
const (
	Unwanted        Invariant = "unwanted"         // a backup of a volume that nobody wants protected
	TooOften        Invariant = "too_often"        // a backup long before it was due
	WrongKind       Invariant = "wrong_kind"       // an incremental where a full was due, or the reverse
	MissedBackup    Invariant = "missed_backup"    // a protected volume got no restore point in time, although nothing hindered it
	OverdueRemoval  Invariant = "overdue_removal"  // a backup exists long after its retention, although nothing kept it
	FalseProtection Invariant = "false_protection" // a volume is shown as late and is not, or the reverse
	Unexplained     Invariant = "unexplained"      // a volume is late, or its removal stuck, and the reason is not shown
)

// Always are the invariants that need only the journal and the records. WithIntent are those that need the facts of
// intent.go.
var (
	Always = []Invariant{
		Overlap, Orphan, LostRecord, StuckRecord, FalseRecord, Duplicate, IllegalChain, WrongProject, CapExceeded,
		EarlyRemoval, FloorBroken, ParentRemovedFirst, ForeignToken, ForeignTouched, FalseReport,
	}
	WithIntent = []Invariant{Unwanted, TooOften, WrongKind, MissedBackup, OverdueRemoval, FalseProtection, Unexplained}
)

// A Violation is one violated invariant, with its objects. At is zero for a violation at the end of the journal; a
// name that does not apply is empty.
type Violation struct {
	Invariant                       Invariant
	At                              time.Time
	Project, Volume, Backup, Record string
	Text                            string // a sentence
}

// String returns the violation in one line.
func (v Violation) String() string {
	var b strings.Builder
	b.WriteString(string(v.Invariant) + ": " + v.Text)
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
