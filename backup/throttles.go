package backup

import (
	"cmp"
	"slices"
)

// An AdmissionScope is one project in one availability zone. An empty field means all projects or all zones.
type AdmissionScope struct{ Project, Zone string }

// A Throttle limits how many backups may begin in one scope.
type Throttle struct {
	Why   ThrottleReason
	Limit int // how many may begin now
	Held  int // how many wait because of it
}

// Throttles has one throttle for each scope that has trouble: one project in one zone, a project, a zone, or the whole
// cloud (the empty scope).
type Throttles map[AdmissionScope]*Throttle

// ThrottlesOf decides from the back-pressure of each project in each zone. Trouble of one project, or of its volumes in
// one zone, affects only that scope. Trouble that several projects show affects the zone, or the cloud. Where volumes
// wait in several zones, trouble of the cloud must also show in several zones.
func ThrottlesOf(pressures map[AdmissionScope]BackPressure, zones map[string]bool) Throttles {
	b := Throttles{}
	throttled, byZone, all := map[string]bool{}, map[string]*several{}, newSeveral()
	for scope, p := range pressures {
		if p.Throttled > 0 {
			throttled[scope.Project] = true
		} else if why := p.sign(); p.proves(why) {
			b.set(scope, p, why)
		}
		if byZone[scope.Zone] == nil {
			byZone[scope.Zone] = newSeveral()
		}
		byZone[scope.Zone].add(scope, p)
		all.add(scope, p)
	}
	for project := range throttled {
		b[AdmissionScope{Project: project}] = &Throttle{Why: WhileThrottle}
	}
	for zone, one := range byZone {
		if why := one.common(1); why != NotThrottled && len(zones) > 1 {
			b.set(AdmissionScope{Zone: zone}, one.pressure, why)
		}
	}
	if why := all.common(min(2, len(zones))); why != NotThrottled {
		b.set(AdmissionScope{}, all.pressure, why)
	}
	return b
}

// set adds a throttle: while most backups fail, one may begin at a time; for any other reason, only a probe.
func (b Throttles) set(at AdmissionScope, p BackPressure, why ThrottleReason) {
	limit := 1
	if why != WhileFailing {
		limit = p.probe()
	}
	b[at] = &Throttle{Why: why, Limit: limit}
}

// applying returns the throttles that apply to a volume in this scope.
func (b Throttles) applying(at AdmissionScope) (all []*Throttle) {
	for _, p := range []AdmissionScope{{}, {Zone: at.Zone}, {Project: at.Project}, at} {
		if one := b[p]; one != nil {
			all = append(all, one)
		}
	}
	return all
}

// Begin returns why no further backup may begin in this scope, or [NotThrottled] if one may. It counts the backup
// either way.
func (b Throttles) Begin(at AdmissionScope) ThrottleReason {
	over := b.applying(at)
	first := slices.IndexFunc(over, func(one *Throttle) bool { return one.Limit <= 0 })
	for _, one := range over {
		if first >= 0 {
			one.Held++
		} else {
			one.Limit--
		}
	}
	if first < 0 {
		return NotThrottled
	}
	return over[first].Why
}

// several sums up what the projects of a zone, or of the cloud, show.
type several struct {
	pressure BackPressure
	projects map[string]bool                    // projects with any sign, good or bad
	show     map[ThrottleReason]map[string]bool // projects with this trouble
	zones    map[ThrottleReason]map[string]bool
}

func newSeveral() *several {
	return &several{projects: map[string]bool{}, show: map[ThrottleReason]map[string]bool{}, zones: map[ThrottleReason]map[string]bool{}}
}

func (s *several) add(at AdmissionScope, p BackPressure) {
	s.pressure = s.pressure.plus(p)
	s.projects[at.Project] = true
	why := p.sign()
	if why == NotThrottled {
		return
	}
	if s.show[why] == nil {
		s.show[why], s.zones[why] = map[string]bool{}, map[string]bool{}
	}
	s.show[why][at.Project], s.zones[why][at.Zone] = true, true
}

// common returns the trouble that at least three projects show, if they are half of all projects with any sign and
// are in at least this many zones.
func (s *several) common(zones int) ThrottleReason {
	found := NotThrottled
	for _, why := range ThrottleReasons {
		n := len(s.show[why])
		if n >= projectsAtLeast && 2*n >= len(s.projects) && len(s.zones[why]) >= zones && s.pressure.proves(why) {
			found = cmp.Or(found, why)
		}
	}
	return found
}
