package backup

import (
	"cmp"
	"slices"
	"time"
)

// Caps are the limits on backups in progress at the same time; 0 means no limit.
type Caps struct {
	Total, PerProject, PerZone int
	ForcedFull                 int // fulls that the depth did not ask for
	// Slow is the maximum number of slow backups that do not use a slot under Total.
	Slow int
}

// A Candidate is a planned record that waits for admission.
type Candidate struct {
	ID, ProjectID, Zone string
	ForcedFull          bool
	Manual              bool       // requested by an operator
	LastPointAt         *time.Time // data timestamp of the volume's newest restore point; nil if there is none
	PlannedAt           time.Time  // time of the plan that wrote the record
	Held                Held       // the result of the dispatch run before
}

func (c *Candidate) scope() AdmissionScope { return AdmissionScope{Project: c.ProjectID, Zone: c.Zone} }

// byNeed orders candidates by need: those that an operator requested, then volumes without a restore point, then the
// oldest restore point.
func (c *Candidate) byNeed(d *Candidate) int {
	if c.Manual != d.Manual {
		return before(c.Manual)
	}
	if (c.LastPointAt == nil) != (d.LastPointAt == nil) {
		return before(c.LastPointAt == nil)
	}
	if c.LastPointAt != nil {
		if order := c.LastPointAt.Compare(*d.LastPointAt); order != 0 {
			return order
		}
	}
	return cmp.Or(c.PlannedAt.Compare(d.PlannedAt), cmp.Compare(c.ID, d.ID))
}

func before(first bool) int {
	if first {
		return -1
	}
	return 1
}

// A Recent counts the backups of one project and zone that ended within [AdmissionInterval].
type Recent struct {
	ProjectID, Zone string
	Ended           int // backups that were requested
	Failed          int // those that failed with one of [CloudTrouble]
	Made            int
}

// AdmissionInterval is how far back admission counts ended backups.
const AdmissionInterval = 10 * time.Minute

// AdmissionFacts is the input of [Admit].
type AdmissionFacts struct {
	Caps       Caps
	Outage     Outage
	InProgress []InProgress
	Recent     []Recent
	Waiting    []Candidate // in any order
}

// Full reports whether the total cap is reached. Then the waiting candidates don't have to be read.
func (f AdmissionFacts) Full(now time.Time) bool { return !f.slots(now).left() }

func (f AdmissionFacts) slots(now time.Time) *slots {
	s := &slots{caps: f.Caps, projects: map[string]int{}, zones: map[string]int{}}
	for _, b := range f.InProgress {
		s.take(b.ProjectID, b.Zone, b.ForcedFull)
		if b.slow(now) {
			s.markSlow()
		}
	}
	return s
}

// Held is the reason why a candidate is not admitted.
type Held string

// The reasons why candidates wait. The others are the values of [ThrottleReason].
const (
	HeldByPause       Held = "paused"       // its project or everything is paused
	HeldByTotal       Held = "total"        // total cap
	HeldByProject     Held = "project"      // cap of its project
	HeldByZone        Held = "zone"         // cap of its zone
	HeldByForcedFulls Held = "forced_fulls" // cap on fulls that the depth did not ask for
)

// An Admission is the result of [Admit]: the admitted candidates, and why the others wait.
type Admission struct {
	Admitted       []string        // record IDs, in order of admission
	Held           map[string]Held // by record ID
	Slow           int             // backups in progress far beyond their usual time
	ThrottleReason ThrottleReason  // why fewer were admitted in the whole cloud than the caps allow
	// Throttles are those that held a candidate back in a part of the cloud.
	Throttles map[AdmissionScope]Throttle
}

// HeldBy returns the number of candidates that wait for this reason.
func (a *Admission) HeldBy(why Held) (n int) {
	for _, one := range a.Held {
		if one == why {
			n++
		}
	}
	return n
}

// Admit decides which candidates may begin under the caps. Projects take turns: the project with the fewest backups
// in progress is next; of equal ones, the one with the fewest backups ended in [AdmissionInterval]; then the one whose
// candidate needs it most. A candidate that a cap holds back reserves no slot.
//
// One dead backend does not starve the others: a slow backup uses a slot only under the caps of its project and its
// zone. Where no cinder-backup service is up, no backup begins. While Cinder throttles, is away or fails most
// requests, fewer backups begin: in the affected project, and only if several projects are affected, in the zone or
// in the whole cloud.
func Admit(now time.Time, f AdmissionFacts) Admission {
	s := f.slots(now)
	a := Admission{Held: make(map[string]Held), Slow: s.slow}
	queue := make([]*Candidate, 0, len(f.Waiting))
	for i := range f.Waiting {
		if c := &f.Waiting[i]; f.Outage.Hits(c.Zone) {
			a.Held[c.ID], a.ThrottleReason = Held(WhileOutage), WhileOutage
		} else {
			queue = append(queue, c)
		}
	}
	slices.SortFunc(queue, (*Candidate).byNeed)
	pressures, served := f.pressures(now), map[string]int{}
	for _, r := range f.Recent {
		served[r.ProjectID] += r.Ended
	}
	zones := map[string]bool{} // zones of the candidates and of the back-pressure
	for _, c := range queue {
		zones[c.Zone] = true
	}
	for at := range pressures {
		zones[at.Zone] = true
	}
	throttles := ThrottlesOf(pressures, zones)
	a.take(s, queue, served, throttles)
	a.recordThrottles(throttles)
	return a
}

// take gives slots to the queue, project by project in turns. Free slots and the limits of the throttles only decrease,
// so a candidate that does not fit now is skipped for the rest of this run.
func (a *Admission) take(s *slots, queue []*Candidate, served map[string]int, throttles Throttles) {
	turns := newTurns(queue, s.projects, served)
	for len(turns) > 0 && s.left() {
		c := queue[turns[0].positions[0]]
		held := s.fullCap(c)
		if held == "" {
			held = Held(throttles.Begin(c.scope()))
		}
		if held == "" {
			s.take(c.ProjectID, c.Zone, c.ForcedFull)
			a.Admitted = append(a.Admitted, c.ID)
		} else {
			a.Held[c.ID] = held
		}
		turns.finish(held == "")
	}
	for _, t := range turns {
		for _, position := range t.positions {
			a.Held[queue[position].ID] = HeldByTotal
		}
	}
}

// recordThrottles records the throttles that held a candidate back.
func (a *Admission) recordThrottles(throttles Throttles) {
	for at, one := range throttles {
		switch {
		case one.Held == 0:
		case at == AdmissionScope{}:
			a.ThrottleReason = one.Why
		default:
			if a.Throttles == nil {
				a.Throttles = map[AdmissionScope]Throttle{}
			}
			a.Throttles[at] = *one
		}
	}
}
