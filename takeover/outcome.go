package takeover

import "fmt"

// A RowOutcome is what becomes of a row, or of a backup that no row names.
type RowOutcome string

// The outcomes. The first five are taken over: they get a record.
const (
	RestorePoint RowOutcome = "restore_point"
	StillMade    RowOutcome = "in_progress"
	InError      RowOutcome = "in_error"
	Leftover     RowOutcome = "leftover"
	MissingLink  RowOutcome = "missing_link"

	Known         RowOutcome = "known"
	Deleted       RowOutcome = "deleted"
	BeingDeleted  RowOutcome = "being_deleted"
	NotBegun      RowOutcome = "not_begun"
	NotSaved      RowOutcome = "not_saved"
	Unnamed       RowOutcome = "unnamed"
	OtherVolume   RowOutcome = "other_volume"
	OtherProject  RowOutcome = "other_project"
	OtherProgress RowOutcome = "other_in_progress"
	OtherTag      RowOutcome = "other_installation"
	NotChecked    RowOutcome = "not_checked"
	UnknownStatus RowOutcome = "unknown_status"
)

// Outcomes lists all of them, in the order in which they are shown.
var Outcomes = []RowOutcome{
	RestorePoint, StillMade, InError, Leftover, MissingLink,
	NotChecked, OtherProgress, UnknownStatus, OtherVolume, OtherProject, OtherTag, NotSaved, Unnamed, BeingDeleted, Deleted, NotBegun, Known,
}

// Taken reports whether a backup with this outcome gets a record.
func (o RowOutcome) Taken() bool {
	switch o {
	case RestorePoint, StillMade, InError, Leftover, MissingLink:
		return true
	case Known, Deleted, BeingDeleted, NotBegun, NotSaved, Unnamed, OtherVolume, OtherProject, OtherProgress, OtherTag, NotChecked, UnknownStatus:
	}
	return false
}

// Again reports whether a later import may take over what has this outcome.
func (o RowOutcome) Again() bool { return o == NotChecked || o == OtherProgress || o == UnknownStatus }

// Sentence returns what the outcome means, and what to do.
func (o RowOutcome) Sentence() string {
	switch o {
	case RestorePoint:
		return "Cinder has it: it becomes a restore point, with its chain and the time of its data."
	case StillMade:
		return "Cinder is still making it: a worker follows it to its end, as if Staffeln had asked for it."
	case InError:
		return "It was a restore point, and has the status error in Cinder now: it is kept until you have checked it. If its data is good: openstack volume backup set --state available ID."
	case Leftover:
		return "It failed, and Cinder still has what it left: a worker removes that, leaf first."
	case MissingLink:
		return "Cinder no longer has it, and has incrementals that were made on it: it is recorded as lost, and the next backup of the volume is a full."
	case Known:
		return "It has a record already, from an earlier import or from Staffeln itself."
	case Deleted:
		return "Cinder no longer has it: the tenant, an administrator or retention had deleted it before."
	case BeingDeleted:
		return "Cinder is deleting it at the moment. If it is still there tomorrow: staffeln import again, and openstack volume backup show ID."
	case NotBegun:
		return "It was planned or refused and never began: the next plan decides about the volume anew."
	case NotSaved:
		return "The Python program asked Cinder for it and was ended before it saved the ID. If Cinder made it, it is listed as unnamed."
	case Unnamed:
		return "Cinder has it under a name of the Python program, and no row names it: nothing is done to it. Removals of what it was made on wait for it. Keep it, or remove it with a token of its project: openstack volume backup delete ID."
	case OtherVolume:
		return "In Cinder it is a backup of another volume than in the row: check the table."
	case OtherProject:
		return "In Cinder it belongs to another project than in the row: check the table."
	case OtherTag:
		return "It has the tag of another installation of Staffeln, which removes it by its own policy."
	case OtherProgress:
		return "Another backup of the volume is in progress in the records: import again when that has ended."
	case NotChecked:
		return "Cinder or Nova did not respond about it: import again."
	case UnknownStatus:
		return "Its status in Cinder is none that Staffeln knows: check it, and import again."
	}
	return fmt.Sprintf("outcome %q", string(o))
}
