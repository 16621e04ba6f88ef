package backup

import "strings"

// A DeleteRequest is a user's request to Cinder to delete a backup, as Cinder asks us about it: our record, and Cinder's
// data of the backup and the user.
type DeleteRequest struct {
	Us Identity // UserID is empty until a scheduler or worker has recorded it

	Recorded bool // we have a record of it
	State    State
	Repair   Repair

	Backup Backup // as Cinder reported it; zero if it reported nothing
	By     string // ID of the requesting user; empty if Cinder reported none
}

// A Judgement is the response to a DeleteRequest, with its reason.
type Judgement string

// The judgements.
const (
	NotOurs    Judgement = "not_ours"    // allowed
	OwnRemoval Judgement = "own_removal" // allowed: our own service user deletes a backup whose record is being removed
	OnRecord   Judgement = "on_record"   // refused: by our record, the backup exists or may exist
	MadeByUs   Judgement = "made_by_us"  // refused: made by our service user, and its record is missing or is deleted
	TaggedOurs Judgement = "tagged_ours" // refused: it has our tag, and its record is missing or is deleted
)

// Allowed reports whether Cinder may delete the backup.
func (v Judgement) Allowed() bool { return v == NotOurs || v == OwnRemoval }

// Judgement decides whether Cinder may delete the backup. Any backup that may be ours is refused to everybody but us,
// even if it failed or is lost: Cinder asks only about backups that it has.
//
// Our record decides. Without one (the backup is newer than the dump that the database was restored from), Cinder's
// data decides: a tenant can add our tag to it, but never our user ID.
func (d DeleteRequest) Judgement() Judgement {
	switch {
	case d.Recorded && d.State != Deleted:
		if d.Us.UserID != "" && d.By == d.Us.UserID && (d.State == Deleting || d.Repair == Force) {
			return OwnRemoval
		}
		return OnRecord
	case d.Us.UserID != "" && d.Backup.UserID == d.Us.UserID:
		return MadeByUs
	case d.Backup.isTagged(d.Us.Installation):
		return TaggedOurs
	}
	return NotOurs
}

// isTagged reports whether the backup's metadata or description names the installation, with or without a record.
func (b Backup) isTagged(installation string) bool {
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
