package backup

import "slices"

// A State is the state of a record in its life cycle (see docs/architecture.md).
type State string

// The states of a record.
const (
	Planned     State = "planned"     // decided, nothing requested from Cinder yet
	Creating    State = "creating"    // requested, or about to be
	Overdue     State = "overdue"     // still creating past its deadline
	Available   State = "available"   // a restore point, as far as we know
	Deleting    State = "deleting"    // its deletion was requested, or is about to be
	Deleted     State = "deleted"     // end, unless Cinder shows it again: Cinder no longer has it, because we deleted it
	Withdrawn   State = "withdrawn"   // end: no longer wanted before it began; not a failure
	Failed      State = "failed"      // end, unless Cinder holds a leftover
	Lost        State = "lost"        // gone from Cinder, not because of us; available again if Cinder shows it again
	Undeletable State = "undeletable" // Cinder refuses to delete it
)

// States lists all of them, in the order of a record's life.
var States = []State{Planned, Creating, Overdue, Available, Deleting, Deleted, Withdrawn, Failed, Lost, Undeletable}

// transitions is the state machine: the states that may follow each state.
var transitions = map[State][]State{
	Planned:     {Creating, Withdrawn, Failed},
	Creating:    {Available, Failed, Overdue},
	Overdue:     {Available, Failed},
	Available:   {Deleting, Lost},
	Lost:        {Available},
	Failed:      {Deleting},
	Deleting:    {Deleted, Available, Failed, Undeletable},
	Undeletable: {Deleting, Deleted},
	Deleted:     {Available, Failed}, // Cinder still has it
	Withdrawn:   {},
}

// CanBecome reports whether a record may change from s to t. A refused deletion leads back to the state before:
// available, or failed for a leftover.
func (s State) CanBecome(t State) bool { return slices.Contains(transitions[s], t) }

// CanBeFirst reports whether a record may begin in s: the plan writes planned records and, for a volume that Cinder would
// refuse, failed ones; the reconcile run records a second backup of one request as available or failed; an import takes over
// backups of the Python program that are available, still being made, failed, or missing below others.
func (s State) CanBeFirst() bool {
	return s == Planned || s == Creating || s == Available || s == Failed || s == Lost
}

// The methods below define what the states mean. Package db generates its SQL conditions from them.

// InProgress reports whether the backup is still to be made. A volume has at most one record in progress.
func (s State) InProgress() bool { return s == Planned || s == Creating || s == Overdue }

// Removing reports whether the backup is being deleted, or can't be deleted.
func (s State) Removing() bool { return s == Deleting || s == Undeletable }

// Unfinished reports whether there is still work to do for the record. A failed record with a leftover also has work:
// [Record.Leftover].
func (s State) Unfinished() bool { return s.InProgress() || s.Removing() }

// InCinder reports whether Cinder has the finished backup, as far as we know.
func (s State) InCinder() bool { return s == Available || s.Removing() }

// MayBeInCinder reports whether Cinder may have the backup now or later. A failed record may have a leftover:
// [Record.Leftover].
func (s State) MayBeInCinder() bool { return s.InProgress() || s.InCinder() || s == Lost }

// Past reports whether the record is history: Cinder has nothing of it, except the leftover of a failed one.
func (s State) Past() bool { return s.Gone() || s == Withdrawn || s == Failed }

// Gone reports whether Cinder no longer has a backup that was made or begun.
func (s State) Gone() bool { return s == Deleted || s == Lost }

// Attempted reports whether the attempt to make the backup is over, with any result.
func (s State) Attempted() bool { return !s.InProgress() && s != Withdrawn }

// Stuck reports whether Cinder does not finish what was requested.
func (s State) Stuck() bool { return s == Overdue || s == Undeletable }

// Linked reports whether a record with a backup is a link of a chain.
func (s State) Linked() bool { return s.MayBeInCinder() && s != Planned || s == Failed }

// BeginsChain reports whether a full backup in this state begins a chain that incrementals may be in, even if the
// full itself is missing.
func (s State) BeginsChain() bool { return s.Linked() && s != Deleting && s != Failed }

// AtRest reports whether no change of a link is expected.
func (s State) AtRest() bool { return s == Available || s == Lost }
