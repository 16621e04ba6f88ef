package api

import (
	"container/list"
	"context"
	"slices"
	"sync"
)

// turns bounds how many requests are in progress at a time. Addresses take turns: an address that sends a thousand requests
// does not delay the others.
type turns struct {
	most    int // in progress at a time
	each    int // in progress of one address
	longest int // waiting in all

	mu           sync.Mutex
	inProgress   int
	inProgressOf map[string]int // by address
	waiting      int
	lines        map[string]*list.Element // of *line, by address
	order        *list.List               // the address that is served next is the first
}

type line struct {
	address string
	waiting []chan bool // receives true: proceed; false: rejected, the queue is full
}

func newTurns(most, each, longest int) *turns {
	return &turns{most: most, each: each, longest: longest, inProgressOf: map[string]int{}, lines: map[string]*list.Element{}, order: list.New()}
}

// take waits for a slot, which [turns.release] returns. It returns an error if ctx ends, or if the queue is full and most of
// it comes from this address.
func (t *turns) take(ctx context.Context, address string) error {
	t.mu.Lock()
	if t.inProgress < t.most && t.inProgressOf[address] < t.each {
		t.give(address)
		t.mu.Unlock()
		return nil
	}
	if t.waiting >= t.longest && !t.drop(address) {
		t.mu.Unlock()
		return errOverloaded
	}
	mine := make(chan bool, 1)
	l := t.line(address)
	l.waiting = append(l.waiting, mine)
	t.waiting++
	t.mu.Unlock()
	select {
	case is := <-mine:
		if !is {
			return errOverloaded
		}
		return nil
	case <-ctx.Done():
		t.leave(address, mine)
		return errOverloaded.WithInternal(ctx.Err())
	}
}

func (t *turns) give(address string) {
	t.inProgress++
	t.inProgressOf[address]++
}

// release returns a slot of the address. The first address in order that has less than its share gets it.
func (t *turns) release(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inProgress--
	t.inProgressOf[address]--
	if t.inProgressOf[address] == 0 {
		delete(t.inProgressOf, address)
	}
	for e := t.order.Front(); e != nil; e = e.Next() {
		l := lineOf(e)
		if t.inProgressOf[l.address] >= t.each {
			continue
		}
		next := l.waiting[0]
		l.waiting = l.waiting[1:]
		t.waiting--
		t.order.MoveToBack(e)
		t.tidy(e)
		t.give(l.address)
		next <- true
		return
	}
}

func lineOf(e *list.Element) *line {
	l, _ := e.Value.(*line)
	return l
}

func (t *turns) line(address string) *line {
	e, is := t.lines[address]
	if !is {
		e = t.order.PushBack(&line{address: address})
		t.lines[address] = e
	}
	return lineOf(e)
}

// tidy removes an empty line.
func (t *turns) tidy(e *list.Element) {
	if l := lineOf(e); len(l.waiting) == 0 {
		t.order.Remove(e)
		delete(t.lines, l.address)
	}
}

// drop rejects the last waiting request of the address with the longest line, unless that is the given address. It reports
// whether it rejected one.
func (t *turns) drop(but string) bool {
	var most *list.Element
	for e := t.order.Front(); e != nil; e = e.Next() {
		if most == nil || len(lineOf(e).waiting) > len(lineOf(most).waiting) {
			most = e
		}
	}
	if most == nil {
		return false
	}
	l := lineOf(most)
	if own, is := t.lines[but]; is && len(lineOf(own).waiting)+1 >= len(l.waiting) {
		return false
	}
	last := len(l.waiting) - 1
	l.waiting[last] <- false
	l.waiting = l.waiting[:last]
	t.waiting--
	t.tidy(most)
	return true
}

// leave removes a request that stops waiting. If it was just given a slot, the slot is released.
func (t *turns) leave(address string, mine chan bool) {
	t.mu.Lock()
	if e, is := t.lines[address]; is {
		l := lineOf(e)
		if i := slices.Index(l.waiting, mine); i >= 0 {
			l.waiting = slices.Delete(l.waiting, i, i+1)
			t.waiting--
			t.tidy(e)
			t.mu.Unlock()
			return
		}
	}
	t.mu.Unlock()
	if <-mine {
		t.release(address)
	}
}
