package backup

import (
	"cmp"
	"slices"
	"time"
)

// Caps bound what is in progress at a time; 0 = no bound.
type Caps struct {
	Total, PerProject, PerZone int
	ForcedFull                 int // fulls that the depth did not ask for
	// Stuck bounds how many that are far beyond their usual time leave their
	// slot under Total to others.
	Stuck int
}

// A Candidate is a planned record that waits for admission.
type Candidate struct {
	ID, ProjectID, Zone string
	ForcedFull          bool
	Manual              bool       // an operator asked for it
	LastPointAt         *time.Time // data of the volume's newest restore point; nil: there is none
	PlannedAt           time.Time  // of the plan that wrote it
}

func (c *Candidate) place() AdmissionScope { return AdmissionScope{Project: c.ProjectID, Zone: c.Zone} }

// first orders candidates by need: what an operator asked for, then volumes
// without a restore point, then the oldest.
func (c *Candidate) first(d *Candidate) int {
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

// A Recent is what ended in one project and zone within [AdmissionWindow].
type Recent struct {
	ProjectID, Zone string
	Ended           int // backups that were asked for
	Failed          int // of those, by one of [CloudTrouble]
	Made            int
}

// AdmissionWindow is how far back admission looks.
const AdmissionWindow = 10 * time.Minute

// AdmissionFacts are what [Admit] decides by.
type AdmissionFacts struct {
	Caps       Caps
	Outage     Outage
	InProgress []InProgress
	Recent     []Recent
	Waiting    []Candidate // in any order
}

// Full reports whether the cap on all leaves no slot: then nobody need be read
// who waits.
func (f AdmissionFacts) Full(now time.Time) bool { return !f.slots(now).left() }

func (f AdmissionFacts) slots(now time.Time) *slots {
	s := &slots{caps: f.Caps, projects: map[string]int{}, zones: map[string]int{}}
	for _, b := range f.InProgress {
		s.take(b.ProjectID, b.Zone, b.ForcedFull)
		if b.stuck(now) {
			s.loosen()
		}
	}
	return s
}

// Held says why one candidate is not admitted.
type Held string

// Why candidates wait; beside these the [ThrottleReason] of a brake.
const (
	HeldByTotal       Held = "total"        // the cap on all
	HeldByProject     Held = "project"      // the cap of its project
	HeldByZone        Held = "zone"         // the cap of its zone
	HeldByForcedFulls Held = "forced_fulls" // the cap on fulls that the depth did not ask for
)

// An Admission is whom [Admit] lets through, and why the others wait.
type Admission struct {
	Admitted       []string        // record IDs, in their turns
	Held           map[string]Held // by record ID
	Stuck          int             // in progress far beyond their usual time
	ThrottleReason ThrottleReason  // why fewer were admitted in the whole cloud than the caps leave room for
	// Brakes are those that hold something back in a part of the cloud.
	Brakes map[AdmissionScope]Brake
}

// HeldBy counts the candidates that wait for one reason.
func (a *Admission) HeldBy(why Held) (n int) {
	for _, one := range a.Held {
		if one == why {
			n++
		}
	}
	return n
}

// Admit decides which candidates may begin under the caps. Projects take turns:
// the one with the least in progress is next, of equal ones the one that was
// served least lately, then the one whose candidate needs it most. A candidate
// that a cap holds back keeps no slot for itself.
//
// One dead backend starves nobody else: what is far beyond its usual time keeps
// its slot under the caps of its project and zone only. Where no cinder-backup
// is up nothing begins, and while Cinder throttles, is away or fails most of
// what it is asked for, fewer do: of the project that meets it, and only where
// several do, of the zone or of the whole cloud.
func Admit(now time.Time, f AdmissionFacts) Admission {
	s := f.slots(now)
	a := Admission{Held: make(map[string]Held), Stuck: s.stuck}
	queue := make([]*Candidate, 0, len(f.Waiting))
	for i := range f.Waiting {
		if c := &f.Waiting[i]; f.Outage.Hits(c.Zone) {
			a.Held[c.ID], a.ThrottleReason = Held(WhileOutage), WhileOutage
		} else {
			queue = append(queue, c)
		}
	}
	slices.SortFunc(queue, (*Candidate).first)
	pressures, served := f.pressures(now), map[string]int{}
	for _, r := range f.Recent {
		served[r.ProjectID] += r.Ended
	}
	zones := map[string]bool{} // that anything is known of
	for _, c := range queue {
		zones[c.Zone] = true
	}
	for at := range pressures {
		zones[at.Zone] = true
	}
	brakes := BrakesOf(pressures, zones)
	a.take(s, queue, served, brakes)
	a.brake(brakes)
	return a
}

// take gives slots to the queue, in turns. Slots only get fewer, and so does
// what the brakes let begin: whoever does not fit now is passed over for good.
func (a *Admission) take(s *slots, queue []*Candidate, served map[string]int, brakes Brakes) {
	turns := newTurns(queue, s.projects, served)
	for len(turns) > 0 && s.left() {
		c := queue[turns[0].places[0]]
		held := s.holds(c)
		if held == "" {
			held = Held(brakes.Begin(c.place()))
		}
		if held == "" {
			s.take(c.ProjectID, c.Zone, c.ForcedFull)
			a.Admitted = append(a.Admitted, c.ID)
		} else {
			a.Held[c.ID] = held
		}
		turns.over(held == "")
	}
	for _, t := range turns {
		for _, place := range t.places {
			a.Held[queue[place].ID] = HeldByTotal
		}
	}
}

// brake notes what held something back.
func (a *Admission) brake(brakes Brakes) {
	for at, one := range brakes {
		switch {
		case one.Held == 0:
		case at == AdmissionScope{}:
			a.ThrottleReason = one.Why
		default:
			if a.Brakes == nil {
				a.Brakes = map[AdmissionScope]Brake{}
			}
			a.Brakes[at] = *one
		}
	}
}
