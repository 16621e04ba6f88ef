package backup

import (
	"cmp"
	"slices"
)

// A Place is one project in one availability zone; one of the two is empty where all of them are meant.
type AdmissionScope struct{ Project, Zone string }

// A Brake holds back what would begin in one place.
type Brake struct {
	Why   ThrottleReason
	Limit int // how many may begin now
	Held  int // how many wait because of it
}

// Brakes are all that hold something back, by place: one project in one zone, a project, a zone, and the whole cloud
// (the empty place).
type Brakes map[AdmissionScope]*Brake

// BrakesOf decides from what the records say of each project in each zone. Trouble of one project, or of its volumes in
// one zone, is its own: only what several projects show is that of a zone, or of the cloud. Where volumes wait in
// several zones, the cloud's is also what several zones show.
func BrakesOf(pressures map[AdmissionScope]BackPressure, zones map[string]bool) Brakes {
	b := Brakes{}
	throttled, byZone, all := map[string]bool{}, map[string]*several{}, newSeveral()
	for place, p := range pressures {
		if p.Throttled > 0 {
			throttled[place.Project] = true
		} else if why := p.shows(); p.proves(why) {
			b.set(place, p, why)
		}
		if byZone[place.Zone] == nil {
			byZone[place.Zone] = newSeveral()
		}
		byZone[place.Zone].add(place, p)
		all.add(place, p)
	}
	for project := range throttled {
		b[AdmissionScope{Project: project}] = &Brake{Why: WhileThrottle}
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

// set puts on the brake: while most fail one begins at a time, else only a probe does.
func (b Brakes) set(at AdmissionScope, p BackPressure, why ThrottleReason) {
	limit := 1
	if why != WhileFailing {
		limit = p.probe()
	}
	b[at] = &Brake{Why: why, Limit: limit}
}

// over are the brakes that hold for a volume at the place.
func (b Brakes) over(at AdmissionScope) (all []*Brake) {
	for _, p := range []AdmissionScope{{}, {Zone: at.Zone}, {Project: at.Project}, at} {
		if one := b[p]; one != nil {
			all = append(all, one)
		}
	}
	return all
}

// Begin returns why no further backup may begin at the place, [NotThrottled] where
// one may, and counts it.
func (b Brakes) Begin(at AdmissionScope) ThrottleReason {
	over := b.over(at)
	first := slices.IndexFunc(over, func(one *Brake) bool { return one.Limit <= 0 })
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

// several is what the projects of a zone, or of the cloud, show together.
type several struct {
	pressure BackPressure
	projects map[string]bool                    // with any sign, good or bad
	show     map[ThrottleReason]map[string]bool // projects
	zones    map[ThrottleReason]map[string]bool
}

func newSeveral() *several {
	return &several{projects: map[string]bool{}, show: map[ThrottleReason]map[string]bool{}, zones: map[ThrottleReason]map[string]bool{}}
}

func (s *several) add(at AdmissionScope, p BackPressure) {
	s.pressure = s.pressure.plus(p)
	s.projects[at.Project] = true
	why := p.shows()
	if why == NotThrottled {
		return
	}
	if s.show[why] == nil {
		s.show[why], s.zones[why] = map[string]bool{}, map[string]bool{}
	}
	s.show[why][at.Project], s.zones[why][at.Zone] = true, true
}

// common is the trouble of at least three projects that are half of all with any sign, in so many zones.
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
