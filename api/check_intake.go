package api

import (
	"container/list"
	"sync"
)

// intake bounds the bytes of bodies that are in memory at a time, from before the first byte is read until the body is parsed.
// If there is no capacity for another body, the oldest read of the address that holds the most bytes is aborted. A client that
// sends slowly, or much, blocks only its own address.
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

// A reading is one body that is being read. It holds a part of the budget.
type reading struct {
	address string
	bytes   int
	end     func()
	element *list.Element // nil: released or aborted
}

func newIntake(budget int) *intake { return &intake{budget: budget, by: map[string]*holder{}} }

// take reserves bytes for an address. It calls end if another body needs the capacity.
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
	r.element = h.readings.PushBack(r)
	h.bytes += bytes
	i.held += bytes
	i.mu.Unlock()
	for _, one := range ended {
		one.end()
	}
	return r
}

// heaviest returns the oldest reading of the address that holds the most bytes. The new bytes count for the given address.
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
	h.readings.Remove(r.element)
	r.element = nil
	h.bytes -= r.bytes
	i.held -= r.bytes
	if h.readings.Len() == 0 {
		delete(i.by, r.address)
	}
}

// release returns the bytes to the budget. It may be called more than once.
func (i *intake) release(r *reading) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if r.element != nil {
		i.forget(r)
	}
}
