package queuemodel

import (
	"slices"
	"time"

	"staffeln/tasks"
)

// State is the state of a task in the queue.
type State string

// The states of a task. None means that there is no such task.
const (
	None     State = ""
	Pending  State = "pending"
	Active   State = "active"
	Retry    State = "retry"
	Archived State = "archived"
)

// Recovery of a task: it runs again elsewhere this long after the last heartbeat of its worker. That is a lease of 30 s, a
// grace period of 30 s, and up to a minute until the next check. Measured: 57 to 97 s after a kill, 113 to 117 s after a cut
// connection or a freeze.
const (
	SoonestRecovery = 55 * time.Second
	LatestRecovery  = 120 * time.Second
)

// A Queue holds the tasks of the volumes.
type Queue struct {
	// Now is the clock, which the test steps.
	Now func() time.Time
	// PollPeriod is the maximum delay before a task is retried.
	PollPeriod time.Duration
	// Response decides the result of each enqueue; nil: all succeed.
	Response Response

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
	volume   tasks.VolumeTask
	state    State
	failures int
	due      time.Time // Retry: when it becomes pending again. Active: when the loss of its lease is noticed; zero while the lease is renewed
	seq      int       // order of the pending tasks
	run      *Run      // Active: the run that holds it
}

// advance makes tasks pending that are due.
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

// sorted returns all tasks in a deterministic order.
func (q *Queue) sorted() []*task {
	all := make([]*task, 0, len(q.tasks))
	for _, t := range q.tasks {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *task) int { return a.seq - b.seq })
	return all
}

// Pending returns the IDs of the tasks that can start now, the longest waiting first.
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

// Len returns the number of tasks in all states.
func (q *Queue) Len() int { q.advance(); return len(q.tasks) }

// Task returns the state and kind of a task.
func (q *Queue) Task(id string) (State, tasks.Kind) {
	q.advance()
	if t := q.tasks[id]; t != nil {
		return t.state, t.kind
	}
	return None, ""
}

// NextChange returns when the next task becomes pending without a call, or zero if none does.
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

// Lose deletes all data of Redis. Handlers that run continue and do not notice.
func (q *Queue) Lose() { clear(q.tasks) }

// Archive archives a task, as operators and exhausted retries do: the task keeps its ID and never runs.
func (q *Queue) Archive(id string) {
	q.advance()
	if t := q.tasks[id]; t != nil && t.state != Active {
		t.state, t.due = Archived, time.Time{}
	}
}
