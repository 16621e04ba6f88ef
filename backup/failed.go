package backup

// FailedAttempt reports whether r is an attempt that ended without a restore point. That remains true whatever becomes of its
// leftover, which may be removed long after. Package db has the same as an SQL condition.
func (r Record) FailedAttempt() bool { return r.AvailableAt == nil && r.State.Attempted() }

// Outcome returns the state that people are shown: [Failed] for each failed attempt, else the record's own. What became of
// the leftover is [Record.LeftoverStatus].
func (r Record) Outcome() State {
	if r.FailedAttempt() {
		return Failed
	}
	return r.State
}

// A LeftoverStatus is what became of what Cinder had of a failed attempt.
type LeftoverStatus string

// The values of a leftover's status.
const (
	LeftoverNone         LeftoverStatus = "none"          // Cinder has nothing of the attempt
	LeftoverInCinder     LeftoverStatus = "in_cinder"     // its removal follows
	LeftoverBeingRemoved LeftoverStatus = "being_removed" // its removal was requested
	LeftoverRemoved      LeftoverStatus = "removed"       // Cinder no longer has it
	LeftoverUndeletable  LeftoverStatus = "undeletable"   // Cinder can't remove it
)

// LeftoverStatus returns what became of the leftover of a failed attempt; empty if r is none.
func (r Record) LeftoverStatus() LeftoverStatus {
	if !r.FailedAttempt() {
		return ""
	}
	switch r.State { //nolint:exhaustive // a failed attempt is in no other state
	case Deleting:
		return LeftoverBeingRemoved
	case Deleted, Lost:
		return LeftoverRemoved
	case Undeletable:
		return LeftoverUndeletable
	}
	if r.BackupID != "" {
		return LeftoverInCinder
	}
	return LeftoverNone
}

// Sentence describes the status for people; empty for an empty one.
func (s LeftoverStatus) Sentence() string {
	switch s {
	case LeftoverNone:
		return "It left nothing in Cinder."
	case LeftoverInCinder:
		return "What it left in Cinder will be removed."
	case LeftoverBeingRemoved:
		return "What it left in Cinder is being removed."
	case LeftoverRemoved:
		return "What it left in Cinder was removed."
	case LeftoverUndeletable:
		return "Cinder cannot remove what it left."
	}
	return ""
}
