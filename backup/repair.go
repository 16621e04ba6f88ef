package backup

import "time"

// A Repair is a step on a backup that hangs in Cinder.
type Repair string

// The steps, in order.
const (
	Force Repair = "force" // Cinder is asked to delete it in any status
	Reset Repair = "reset" // its status is set to error, so that it can be deleted as usual
)

// NextRepair returns the step that is due for r, which hangs; empty if none. After a forced deletion the status is
// reset once grace has passed. After a reset the next forced deletion is due a day later.
func NextRepair(now time.Time, r Record, grace time.Duration) Repair {
	since := func() time.Duration { return now.Sub(*r.RepairedAt) }
	switch {
	case r.Repair == "" || r.RepairedAt == nil:
		return Force
	case r.Repair == Force && since() >= grace:
		return Reset
	case r.Repair == Reset && since() >= 24*time.Hour:
		return Force
	}
	return ""
}

// stuckStatuses are the statuses in which a backup may hang. No other status is ever reset.
var stuckStatuses = map[Status]bool{StatusCreating: true, StatusDeleting: true, StatusErrorDeleting: true}

// MayHang reports whether a backup in this status can hang: the status is a transition, and nobody can restore from
// the backup.
func (s Status) MayHang() bool { return stuckStatuses[s] }
