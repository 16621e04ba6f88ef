package queuemodel

import (
	"time"

	"staffeln/tasks"
)

// A Run is one run of a task's handler.
type Run struct {
	ID     string
	Kind   tasks.Kind
	Volume tasks.VolumeTask

	queue *Queue
	lost  bool // lease lost or run ended: its result is no longer written
}

// Start lets a worker take the pending task with the ID. It returns nil if there is none.
func (q *Queue) Start(id string) *Run {
	q.advance()
	t := q.tasks[id]
	if t == nil || t.state != Pending {
		return nil
	}
	t.state, t.run = Active, &Run{ID: id, Kind: t.kind, Volume: t.volume, queue: q}
	return t.run
}

// Held reports whether the run still holds its task.
func (r *Run) Held() bool { t := r.active(); return t != nil && t.run == r }

// active returns the task that the run's result applies to: the active task with its ID. After a loss of data that may be a
// new task, which another run holds: Asynq identifies tasks only by their IDs.
func (r *Run) active() *task {
	r.queue.advance()
	t := r.queue.tasks[r.ID]
	if r.lost || t == nil || t.state != Active {
		return nil
	}
	return t
}

// End models the return of the handler: nil ends the task, an error leads to a retry.
func (r *Run) End(err error) {
	t := r.active()
	r.lost = true
	switch {
	case t == nil:
	case err == nil:
		delete(r.queue.tasks, r.ID)
	default:
		delay := min(time.Second<<min(t.failures, 20), r.queue.PollPeriod)
		t.failures++
		t.state, t.due, t.run = Retry, r.queue.Now().Add(delay), nil
	}
}

// GiveBack models the return of a handler whose worker shuts down: the task is due again at once. It does not count as a
// failure.
func (r *Run) GiveBack() {
	if t := r.active(); t != nil {
		t.state, t.due, t.run = Retry, r.queue.Now(), nil
	}
	r.lost = true
}

// Abandon models a worker that dies, freezes or loses Redis, even at the moment when the handler returns. The task remains
// active until the loss of its lease is noticed, recovery from now. The handler may continue; its result is not written.
func (r *Run) Abandon(recovery time.Duration) {
	if t := r.active(); t != nil && t.run == r {
		t.due = r.queue.Now().Add(recovery)
	}
	r.lost = true
}
