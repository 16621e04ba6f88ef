package backup

import "strings"

// A Deletion is what is known when somebody asks Cinder to delete a backup, and Cinder asks us: our record of it, and
// what Cinder told of the backup and of who asks.
type Deletion struct {
	Us Identity // UserID is empty where no scheduler or worker has said yet

	Recorded bool // there is a record of ours
	State    State
	Repair   Repair

	Backup Backup // as Cinder told it; the zero value where it told nothing
	By     string // ID of the user who asks; empty where Cinder told nothing
}

// A Verdict is the answer to a Deletion, and its reason.
type Verdict string

// The verdicts.
const (
	NotOurs    Verdict = "not_ours"    // allowed
	OwnRemoval Verdict = "own_removal" // allowed: our own service user removes what our record says is being removed
	OnRecord   Verdict = "on_record"   // refused: our record says that it is there, or may be
	MadeByUs   Verdict = "made_by_us"  // refused: made by our service user, its record is missing or says that it is gone
	TaggedOurs Verdict = "tagged_ours" // refused: it carries our tag; as above
)

// Allowed tells whether Cinder may delete the backup.
func (v Verdict) Allowed() bool { return v == NotOurs || v == OwnRemoval }

// Verdict answers whether Cinder may delete the backup. Whatever may be a backup of ours is refused to everybody but us,
// also one that failed or is lost: Cinder asks only about what it has. Ours is what the record says; where there is none
// (made since the dump that the database was restored from) what Cinder told decides, to which a tenant may add our tag
// but never our user.
func (d Deletion) Verdict() Verdict {
	switch {
	case d.Recorded && d.State != Deleted:
		if d.Us.UserID != "" && d.By == d.Us.UserID && (d.State == Deleting || d.Repair == Force) {
			return OwnRemoval
		}
		return OnRecord
	case d.Us.UserID != "" && d.Backup.UserID == d.Us.UserID:
		return MadeByUs
	case d.Backup.carries(d.Us.Installation):
		return TaggedOurs
	}
	return NotOurs
}

// carries tells whether the backup's metadata or description names the installation, with a record or without.
func (b Backup) carries(installation string) bool {
	if installation == "" {
		return false
	}
	if b.Metadata[TagInstallation] == installation {
		return true
	}
	for word := range strings.FieldsSeq(b.Description) {
		if word == TagInstallation+"="+installation {
			return true
		}
	}
	return false
}
