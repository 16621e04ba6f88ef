package db

import (
	"cmp"
	"container/heap"

	"staffeln/backup"
)

// A candidate is a planned record that waits for admission.
type candidate struct {
	ID, ProjectID, Zone string
	ForcedFull          bool
}

func (c candidate) place() backup.Place { return backup.Place{Project: c.ProjectID, Zone: c.Zone} }

// room is what is in progress, against the caps.
type room struct {
	caps            Caps
	all, outOfTurn  int // that hold a place in the caps
	stuck           int
	projects, zones map[string]int
	served          map[string]int // by project: what ended within the last ten minutes
}

func newRoom(caps Caps) *room {
	return &room{caps: caps, projects: map[string]int{}, zones: map[string]int{}, served: map[string]int{}}
}

// take counts c as in progress.
func (r *room) take(c candidate) {
	r.all++
	r.projects[c.ProjectID]++
	r.zones[c.Zone]++
	if c.ForcedFull {
		r.outOfTurn++
	}
}

// takeStuck counts one that is far beyond its usual time: it leaves its place
// among all to others, but not to its own project or zone, which probably hangs
// as a whole.
func (r *room) takeStuck(c candidate) {
	r.take(c)
	r.stuck++
	if under(r.stuck-1, r.caps.Stuck) {
		r.all--
	}
}

func under(busy, limit int) bool { return limit == 0 || busy < limit }

// left tells whether the cap on all leaves room for anything.
func (r *room) left() bool { return under(r.all, r.caps.Total) }

// fits tells whether the other caps leave room for c.
func (r *room) fits(c candidate) bool {
	return under(r.projects[c.ProjectID], r.caps.PerProject) && under(r.zones[c.Zone], r.caps.PerZone) &&
		(!c.ForcedFull || under(r.outOfTurn, r.caps.ForcedFull))
}

// choose takes from the queue until no room is left, and returns the IDs. The
// project with the least in progress has the next turn, of equal ones the one
// that was served least lately, then that whose candidate stands further ahead
// in the queue. Room only gets less, and so does what the brakes let begin:
// whoever does not fit now is passed over for good. Pure but for the brakes,
// which count.
func (r *room) choose(queue []candidate, brakes backup.Brakes) []string {
	waiting := map[string]*turn{}
	var turns turns
	for place, c := range queue {
		t := waiting[c.ProjectID]
		if t == nil {
			t = &turn{inProgress: r.projects[c.ProjectID], served: r.served[c.ProjectID]}
			waiting[c.ProjectID] = t
			turns = append(turns, t)
		}
		t.places = append(t.places, place)
	}
	heap.Init(&turns)
	var chosen []string
	for len(turns) > 0 && r.left() {
		t := turns[0]
		if c := queue[t.places[0]]; r.fits(c) && brakes.Begin(c.place()) {
			r.take(c)
			t.inProgress++
			chosen = append(chosen, c.ID)
		}
		if t.places = t.places[1:]; len(t.places) == 0 {
			heap.Pop(&turns)
		} else {
			heap.Fix(&turns, 0)
		}
	}
	return chosen
}

// A turn is one project's, with the places of its candidates in the queue.
type turn struct {
	inProgress int
	served     int
	places     []int
}

type turns []*turn

func (t *turns) Len() int { return len(*t) }
func (t *turns) Less(i, j int) bool {
	a, b := (*t)[i], (*t)[j]
	return cmp.Or(cmp.Compare(a.inProgress, b.inProgress), cmp.Compare(a.served, b.served), cmp.Compare(a.places[0], b.places[0])) < 0
}
func (t *turns) Swap(i, j int) { (*t)[i], (*t)[j] = (*t)[j], (*t)[i] }
func (*turns) Push(any)        {} // they only get less
func (t *turns) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}
