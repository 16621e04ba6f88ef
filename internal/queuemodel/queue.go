package queuemodel

import (
	"slices"
	"time"

	"staffeln/tasks"
)

// State is the state of a task in the queue.
type State string

// The states of a task; None is one that is not there.
const (
	None     State = ""
	Pending  State = "pending"
	Active   State = "active"
	Retry    State = "retry"
	Archived State = "archived"
)

// Recovery is how long after its worker's last sign of life a task runs again elsewhere: a lease of 30 s, as much grace
// and up to a minute until somebody looks (measured: 57 to 97 s after a kill, 113 to 117 s after a cut or a freeze).
const (
	SoonestRecovery = 55 * time.Second
	LatestRecovery  = 120 * time.Second
)

// A Queue holds the tasks of the volumes.
type Queue struct {
	// Now is the clock; a test steps it.
	Now func() time.Time
	// PollPeriod is the longest delay before a task runs again after an error.
	PollPeriod time.Duration
	// Answer decides each enqueue before it is carried out; nil: all succeed.
	Answer Answer

	tasks map[string]*task
	seq   int
}

// New returns an empty queue.
func New(now func() time.Time, pollPeriod time.Duration) *Queue {
	return &Queue{Now: now, PollPeriod: pollPeriod, tasks: map[string]*task{}}
}

// task is a task in the queue.
type task struct {
	id       string
	kind     tasks.Kind
	volume   tasks.Volume
	state    State
	failures int
	due      time.Time // Retry: when it is pending again. Active: when its lease has run out and somebody noticed; zero while it is kept up
	seq      int       // order in the list of pending ones
	run      *Run      // Active: who works on it
}

// advance makes pending what is due by now.
func (q *Queue) advance() {
	now := q.Now()
	for _, t := range q.sorted() {
		if (t.state == Retry || t.state == Active) && !t.due.IsZero() && !t.due.After(now) {
			q.pend(t)
		}
	}
}

func (q *Queue) pend(t *task) {
	q.seq++
	t.state, t.due, t.seq, t.run = Pending, time.Time{}, q.seq, nil
}

// sorted are all tasks in an order that is the same for the same history.
func (q *Queue) sorted() []*task {
	all := make([]*task, 0, len(q.tasks))
	for _, t := range q.tasks {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *task) int { return a.seq - b.seq })
	return all
}

// Pending are the IDs of the tasks that could start now, the one that waits longest first.
func (q *Queue) Pending() []string {
	q.advance()
	var ids []string
	for _, t := range q.sorted() {
		if t.state == Pending {
			ids = append(ids, t.id)
		}
	}
	return ids
}

// Len is how many tasks the queue holds in all states.
func (q *Queue) Len() int { q.advance(); return len(q.tasks) }

// Task returns state and kind of a task by its ID.
func (q *Queue) Task(id string) (State, tasks.Kind) {
	q.advance()
	if t := q.tasks[id]; t != nil {
		return t.state, t.kind
	}
	return None, ""
}

// NextChange is when the next task becomes pending by itself; zero where none does.
func (q *Queue) NextChange() time.Time {
	q.advance()
	var next time.Time
	for _, t := range q.tasks {
		if (t.state == Retry || t.state == Active) && !t.due.IsZero() && (next.IsZero() || t.due.Before(next)) {
			next = t.due
		}
	}
	return next
}

// Lose drops all that Redis holds. Handlers that run go on and do not notice.
func (q *Queue) Lose() { clear(q.tasks) }

// Archive is what an operator does, and what exhausted retries do: the task keeps its ID and never runs.
func (q *Queue) Archive(id string) {
	q.advance()
	if t := q.tasks[id]; t != nil && t.state != Active {
		t.state, t.due = Archived, time.Time{}
	}
}
