package invariants

import (
	"time"

	"staffeln/backup"
)

// stuck returns why a record should have changed its state by now; empty if something explains that it has not, or if
// it has ended. A record that waits for admission is not checked: caps, pauses and outages may hold it back for any
// time.
func (n *rest) stuck(r Record, b Backup, there bool) string {
	over := func(limit time.Duration, more ...time.Time) bool {
		return !n.Now.IsZero() && limit > 0 && !n.within(limit, append(more, r.Changed, r.Admitted, r.Asked, r.NextTry)...)
	}
	switch r.State {
	case backup.Planned:
		if !r.Admitted.IsZero() && !r.Paused && over(n.Limits.Step) {
			return "it was admitted, and Cinder has not been asked"
		}
	case backup.Creating, backup.Overdue:
		return n.stuckMaking(r, b, there, over)
	case backup.Deleting, backup.Undeletable:
		switch {
		case r.Paused:
		case !there && r.State == backup.Deleting && over(n.Limits.Step):
			return "Cinder no longer has its backup"
		case over(n.Limits.Removal):
			return "its removal neither ends nor is tried again"
		}
	case backup.Failed:
		_, another := n.inProgress[r.Volume]
		hindered := r.Paused || another || there && (n.hasDependents[r.Backup] || b.Status != backup.StatusError && b.Status != backup.StatusAvailable)
		if r.Backup != "" && !hindered && over(n.Limits.Removal) {
			return "nothing hinders the removal of what is left over"
		}
	case backup.Lost:
		if there && b.Status == backup.StatusAvailable && over(n.Limits.Reconcile) {
			return "Cinder has its backup"
		}
	case backup.Available, backup.Deleted, backup.Withdrawn: // at rest
	}
	return ""
}

// stuckMaking is [rest.stuck] for a record whose backup is being made.
func (n *rest) stuckMaking(r Record, b Backup, there bool, over func(time.Duration, ...time.Time) bool) string {
	ended := there && (b.Status == backup.StatusAvailable || b.Status == backup.StatusError || b.Status == backup.StatusErrorDeleting)
	switch {
	case r.Backup == "" && r.Paused:
	case r.Backup == "" && over(n.Limits.Step):
		return "nobody searches its backup after the lost response"
	case ended && over(n.Limits.Step, b.Since):
		return "Cinder has ended its backup as " + string(b.Status)
	case r.State == backup.Overdue && over(n.Limits.Step):
		return "nobody polls it"
	case r.State == backup.Creating && over(n.Limits.Step, r.Deadline):
		return "its deadline passed"
	}
	return ""
}
