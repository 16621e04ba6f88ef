package backup

import "time"

// A Repair is a step on a backup that hangs in Cinder.
type Repair string

// The steps, in the order in which they are taken.
const (
	Force Repair = "force" // Cinder is asked to remove it whatever its status
	Reset Repair = "reset" // its status is set to error, so that it can be removed as usual
)

// NextRepair returns the step that is due on r, which hangs; empty: none. What
// was forced has so long a patience before its status is reset, and what was
// reset and hangs again rests for a day before all of it begins anew.
func NextRepair(now time.Time, r Record, patience time.Duration) Repair {
	since := func() time.Duration { return now.Sub(*r.RepairedAt) }
	switch {
	case r.Repair == "" || r.RepairedAt == nil:
		return Force
	case r.Repair == Force && since() >= patience:
		return Reset
	case r.Repair == Reset && since() >= 24*time.Hour:
		return Force
	}
	return ""
}

// hangs are the statuses that a backup may be stuck in. No other is ever reset.
var hangs = map[Status]bool{StatusCreating: true, StatusDeleting: true, StatusErrorDeleting: true}

// MayHang tells whether a backup of this status can be stuck: it is on its way
// to another one, and nobody can restore from it.
func (s Status) MayHang() bool { return hangs[s] }
