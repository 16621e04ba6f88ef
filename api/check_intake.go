package api

import (
	"container/list"
	"sync"
)

// intake bounds how many bytes of bodies are held at a time, from before the first one is read until they are parsed. Where there
// is no room for another, the longest reading of the address that holds most is ended: who sends slowly, or much, keeps only
// himself out.
type intake struct {
	budget int

	mu   sync.Mutex
	held int
	by   map[string]*holder
}

type holder struct {
	bytes    int
	readings *list.List // of *reading, the oldest first
}

// A reading holds a part of the budget.
type reading struct {
	address string
	bytes   int
	end     func()
	place   *list.Element // nil: given back, or ended
}

func newIntake(budget int) *intake { return &intake{budget: budget, by: map[string]*holder{}} }

// take holds so many bytes for an address; end is called where somebody else needs them more.
func (i *intake) take(address string, bytes int, end func()) *reading {
	r := &reading{address: address, bytes: bytes, end: end}
	var ended []*reading
	i.mu.Lock()
	for i.held+bytes > i.budget && len(i.by) > 0 {
		one := i.heaviest(address, bytes)
		i.forget(one)
		ended = append(ended, one)
	}
	h, is := i.by[address]
	if !is {
		h = &holder{readings: list.New()}
		i.by[address] = h
	}
	r.place = h.readings.PushBack(r)
	h.bytes += bytes
	i.held += bytes
	i.mu.Unlock()
	for _, one := range ended {
		one.end()
	}
	return r
}

// heaviest returns the oldest reading of the address that holds most, the newcomer's bytes counted with.
func (i *intake) heaviest(address string, bytes int) *reading {
	var most *holder
	heavy := -1
	for a, h := range i.by {
		weighs := h.bytes
		if a == address {
			weighs += bytes
		}
		if weighs > heavy {
			most, heavy = h, weighs
		}
	}
	oldest, _ := most.readings.Front().Value.(*reading)
	return oldest
}

func (i *intake) forget(r *reading) {
	h := i.by[r.address]
	h.readings.Remove(r.place)
	r.place = nil
	h.bytes -= r.bytes
	i.held -= r.bytes
	if h.readings.Len() == 0 {
		delete(i.by, r.address)
	}
}

// release gives the bytes back; once is enough.
func (i *intake) release(r *reading) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r.place != nil {
		i.forget(r)
	}
}
