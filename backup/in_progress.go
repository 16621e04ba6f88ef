package backup

import "time"

// An InProgress is a record that was admitted and has not ended.
type InProgress struct {
	ProjectID, Zone                string
	State                          State
	ForcedFull                     bool
	RequestedAt, Deadline          *time.Time
	NextTryAt, UnansweredRequestAt *time.Time
	Named                          bool // Cinder has named its backup
	Attempts                       int
	Reason                         Reason         // why it has not
	Usual                          *time.Duration // the longest of the volume's last backups
}

// waitsFor is why Cinder does not take it; empty: it does. One that is asked for
// again says nothing of the request before.
func (b InProgress) waitsFor() Reason {
	switch {
	case b.State == Planned || b.Named:
		return ""
	case b.Reason == "" && b.Attempts > 1:
		return AnswerUnknown
	}
	return b.Reason
}

// stuck reports whether it takes far longer than it should: in Cinder, or
// because Cinder does not take it. One that Cinder certainly does not have, and
// that is not asked for again soon, does too.
func (b InProgress) stuck(now time.Time) bool {
	switch {
	case b.RequestedAt == nil || b.Deadline == nil:
		return false
	case b.Named || b.waitsFor() == "":
		return FarBeyond(now, *b.RequestedAt, *b.Deadline, b.Usual)
	case b.UnansweredRequestAt == nil && b.NextTryAt != nil && b.NextTryAt.Sub(now) > time.Minute:
		return true
	}
	return now.Sub(*b.RequestedAt) > AdmissionWindow
}

// counted adds what the record says to that of its place.
func (b InProgress) counted(now time.Time, p BackPressure) BackPressure {
	p.InProgress++
	bad := true
	switch b.waitsFor() { //nolint:exhaustive // only these speak of more than the volume
	case Throttled:
		p.Throttled++
	case CinderUnavailable, AnswerUnknown, Unauthorised:
		p.Unanswered++
	default:
		bad = false
	}
	if bad && b.RequestedAt != nil && now.Sub(*b.RequestedAt) < AdmissionWindow {
		p.Newly++
	}
	return p
}

// paces is what the facts say of each project in each zone.
func (f AdmissionFacts) pressures(now time.Time) map[AdmissionScope]BackPressure {
	pressures := map[AdmissionScope]BackPressure{}
	for _, b := range f.InProgress {
		at := AdmissionScope{Project: b.ProjectID, Zone: b.Zone}
		pressures[at] = b.counted(now, pressures[at])
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
