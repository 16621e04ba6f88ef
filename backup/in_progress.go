package backup

import "time"

// An InProgress is a record that was admitted and has not ended.
type InProgress struct {
	ProjectID, Zone                string
	State                          State
	ForcedFull                     bool
	RequestedAt, Deadline          *time.Time
	NextTryAt, UnansweredRequestAt *time.Time
	Named                          bool // Cinder returned the ID of its backup
	Attempts                       int
	Reason                         Reason         // why it is not finished
	Usual                          *time.Duration // how long a backup of the volume usually takes
}

// waitReason returns why Cinder has not accepted the request; empty if it has. While a request is repeated, the record
// has no reason yet: the response is unknown.
func (b InProgress) waitReason() Reason {
	switch {
	case b.State == Planned || b.Named:
		return ""
	case b.Reason == "" && b.Attempts > 1:
		return ResponseUnknown
	}
	return b.Reason
}

// slow reports whether the backup takes far longer than it should, in Cinder or because Cinder does not accept it. A
// backup that Cinder certainly does not have, and whose next attempt is more than a minute away, is slow too.
func (b InProgress) slow(now time.Time) bool {
	switch {
	case b.RequestedAt == nil || b.Deadline == nil:
		return false
	case b.Named || b.waitReason() == "":
		return FarBeyond(now, *b.RequestedAt, *b.Deadline, b.Usual)
	case b.UnansweredRequestAt == nil && b.NextTryAt != nil && b.NextTryAt.Sub(now) > time.Minute:
		return true
	}
	return now.Sub(*b.RequestedAt) > AdmissionInterval
}

// addTo adds the record to the back-pressure of its scope.
func (b InProgress) addTo(now time.Time, p BackPressure) BackPressure {
	p.InProgress++
	bad := true
	switch b.waitReason() { //nolint:exhaustive // only these reasons concern more than the volume
	case Throttled:
		p.Throttled++
	case CinderUnavailable, ResponseUnknown, Unauthorised:
		p.Unanswered++
	default:
		bad = false
	}
	if bad && b.RequestedAt != nil && now.Sub(*b.RequestedAt) < AdmissionInterval {
		p.Newly++
	}
	return p
}

// pressures returns the back-pressure of each project in each zone.
func (f AdmissionFacts) pressures(now time.Time) map[AdmissionScope]BackPressure {
	pressures := map[AdmissionScope]BackPressure{}
	for _, b := range f.InProgress {
		at := AdmissionScope{Project: b.ProjectID, Zone: b.Zone}
		pressures[at] = b.addTo(now, pressures[at])
	}
	for _, r := range f.Recent {
		if r.Failed+r.Made > 0 {
			at := AdmissionScope{Project: r.ProjectID, Zone: r.Zone}
			p := pressures[at]
			p.Failed, p.Made = r.Failed, r.Made
			pressures[at] = p
		}
	}
	return pressures
}
