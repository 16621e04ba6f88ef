package queuemodel

import (
	"time"

	"staffeln/tasks"
)

// A Run is one run of a task's handler.
type Run struct {
	ID     string
	Kind   tasks.Kind
	Volume tasks.Volume

	queue *Queue
	lost  bool // its lease ran out, or it has ended: its result is not written any more
}

// Start lets a worker take the pending task of that ID; nil where there is none.
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

// active is the task that the run's result applies to: whichever is active under its ID. After a loss of data that may be
// another one, which another run holds: Asynq identifies tasks by their IDs only.
func (r *Run) active() *task {
	r.queue.advance()
	t := r.queue.tasks[r.ID]
	if r.lost || t == nil || t.state != Active {
		return nil
	}
	return t
}

// End is the return of the handler: nil ends the task, an error brings another run.
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

// GiveBack is the return of a handler whose worker is being stopped: the task is due again at once, and no failure.
func (r *Run) GiveBack() {
	if t := r.active(); t != nil {
		t.state, t.due, t.run = Retry, r.queue.Now(), nil
	}
	r.lost = true
}

// Abandon is the death of the worker, its freeze, or the loss of its way to Redis, also just when the handler returns:
// the task stays active until its lease has run out and somebody noticed, which takes so long from now on. The
// handler may go on; its result is not written.
func (r *Run) Abandon(recovery time.Duration) {
	if t := r.active(); t != nil && t.run == r {
		t.due = r.queue.Now().Add(recovery)
	}
	r.lost = true
}
