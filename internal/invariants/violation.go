package invariants

import (
	"strings"
	"time"
)

// An Invariant is the name of one thing that must always hold.
type Invariant string

// Invariants that every history must keep.
const (
	Overlap            Invariant = "overlap"              // two backups of one volume in progress at once, both by our doing
	Orphan             Invariant = "orphan"               // Cinder has a backup of ours that no record holds
	LostRecord         Invariant = "lost_record"          // a record that has not ended names a backup that Cinder does not have
	StuckRecord        Invariant = "stuck_record"         // a record has not ended, and nothing explains it any more
	FalseRecord        Invariant = "false_record"         // record and Cinder differ in what the backup is
	Duplicate          Invariant = "duplicate"            // two records hold one backup
	IllegalChain       Invariant = "illegal_chain"        // an incremental stands on what cannot carry it
	WrongProject       Invariant = "wrong_project"        // a backup was made in another project than its volume's
	CapExceeded        Invariant = "cap_exceeded"         // more backups of ours were in progress at once than the caps allow
	EarlyRemoval       Invariant = "early_removal"        // a good backup was removed before its retention was over
	FloorBroken        Invariant = "floor_broken"         // one of the newest restore points of a protected volume was removed
	ParentRemovedFirst Invariant = "parent_removed_first" // a backup was removed while others stood on it
	ForeignToken       Invariant = "foreign_token"        // a creation or deletion was asked for with a token of another project than the backup's
	ForeignTouched     Invariant = "foreign_touched"      // we removed or changed a backup that is not ours
	FalseReport        Invariant = "false_report"         // a report names what did not happen, or goes to somebody whom it does not concern
)

// Invariants that are judged where the facts say what tenants want and what keeps the program from its work.
const (
	Unwanted        Invariant = "unwanted"         // a backup of a volume that nobody wants protected
	TooOften        Invariant = "too_often"        // a backup long before it was due
	WrongKind       Invariant = "wrong_kind"       // an incremental where a full was due, or the other way round
	MissedBackup    Invariant = "missed_backup"    // a protected volume got no restore point in time, and nothing hindered it
	OverdueRemoval  Invariant = "overdue_removal"  // a backup is there long after its retention, and nothing kept it
	FalseProtection Invariant = "false_protection" // a volume is shown as late and is not, or the other way round
	Unexplained     Invariant = "unexplained"      // a volume is late, or its removal stuck, and the reason is not shown
)

// Always lists the invariants that need journal and records only, WithIntent those that need the facts of intent.go.
var (
	Always = []Invariant{
		Overlap, Orphan, LostRecord, StuckRecord, FalseRecord, Duplicate, IllegalChain, WrongProject, CapExceeded,
		EarlyRemoval, FloorBroken, ParentRemovedFirst, ForeignToken, ForeignTouched, FalseReport,
	}
	WithIntent = []Invariant{Unwanted, TooOften, WrongKind, MissedBackup, OverdueRemoval, FalseProtection, Unexplained}
)

// A Violation is one breach of an invariant, with the objects that it is about. At is zero for what is wrong at the end
// of the journal rather than in its course; a name that does not apply is empty.
type Violation struct {
	Invariant                       Invariant
	At                              time.Time
	Project, Volume, Backup, Record string
	Text                            string // a sentence
}

// String writes the violation in one line.
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
