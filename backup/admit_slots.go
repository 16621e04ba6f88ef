package backup

import (
	"cmp"
	"container/heap"
)

// slots counts the backups in progress against the caps.
type slots struct {
	caps               Caps
	total, forcedFulls int
	slow               int
	projects, zones    map[string]int
}

// take counts one backup as in progress.
func (s *slots) take(project, zone string, forcedFull bool) {
	s.total++
	s.projects[project]++
	s.zones[zone]++
	if forcedFull {
		s.forcedFulls++
	}
}

// markSlow counts a backup that was taken as slow: it frees its slot under the total cap, but not those of its project
// and zone, which probably hang as a whole.
func (s *slots) markSlow() {
	if under(s.slow, s.caps.Slow) {
		s.total--
	}
	s.slow++
}

func under(used, limit int) bool { return limit == 0 || used < limit }

// left reports whether the total cap leaves a slot.
func (s *slots) left() bool { return under(s.total, s.caps.Total) }

// fullCap returns which of the other caps leaves no slot for c; empty if none.
func (s *slots) fullCap(c *Candidate) Held {
	switch {
	case !under(s.projects[c.ProjectID], s.caps.PerProject):
		return HeldByProject
	case !under(s.zones[c.Zone], s.caps.PerZone):
		return HeldByZone
	case c.ForcedFull && !under(s.forcedFulls, s.caps.ForcedFull):
		return HeldByForcedFulls
	}
	return ""
}

// A turn is one project in the queue, with the positions of its candidates.
type turn struct {
	inProgress int
	served     int
	positions  []int
}

// turns is a heap: the first element is the project that is next.
type turns []*turn

func newTurns(queue []*Candidate, inProgress, served map[string]int) turns {
	byProject := map[string]*turn{}
	var all turns
	for position, c := range queue {
		t := byProject[c.ProjectID]
		if t == nil {
			t = &turn{inProgress: inProgress[c.ProjectID], served: served[c.ProjectID]}
			byProject[c.ProjectID] = t
			all = append(all, t)
		}
		t.positions = append(t.positions, position)
	}
	heap.Init(&all)
	return all
}

// finish ends the first project's turn.
func (t *turns) finish(admitted bool) {
	first := (*t)[0]
	if admitted {
		first.inProgress++
	}
	if first.positions = first.positions[1:]; len(first.positions) == 0 {
		heap.Pop(t)
	} else {
		heap.Fix(t, 0)
	}
}

func (t *turns) Len() int { return len(*t) }
func (t *turns) Less(i, j int) bool {
	a, b := (*t)[i], (*t)[j]
	return cmp.Or(cmp.Compare(a.inProgress, b.inProgress), cmp.Compare(a.served, b.served), cmp.Compare(a.positions[0], b.positions[0])) < 0
}
func (t *turns) Swap(i, j int) { (*t)[i], (*t)[j] = (*t)[j], (*t)[i] }
func (*turns) Push(any)        {} // the heap only shrinks
func (t *turns) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}
