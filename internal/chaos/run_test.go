package chaos

import (
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/internal/testkit/inprocess"
)

// trouble runs the part of a run in which things go wrong.
func (w *world) trouble() {
	w.lead(w.schedulers[0])
	if w.style.aged {
		w.calm = true
		w.undisturbed(w.now.Add(2*time.Hour), w.now.Add(2*time.Hour))
		w.calm = false
	}
	for range w.style.steps {
		w.step()
		w.pass(time.Duration(w.rng.IntN(3000)) * time.Millisecond)
	}
}

// step does one thing, of those that can be done now.
func (w *world) step() {
	s := w.style
	switch {
	case w.strikes(s.tenants):
		w.tenantActs()
	case w.strikes(s.situations):
		w.situates()
	case w.strikes(s.outages):
		w.breaks()
	case w.strikes(s.queueLosses):
		w.loses()
	case w.strikes(s.kills):
		w.kills()
	case w.strikes(s.takeovers):
		w.lead(w.schedulers[w.rng.IntN(len(w.schedulers))])
	case w.strikes(s.operators):
		w.operatorActs()
	case w.strikes(s.stalls):
		w.stalls()
	case len(w.hanging()) > 0 && w.strikes(s.overtakes):
		w.overtakes()
	case w.rng.IntN(4) == 0:
		w.jump()
	default:
		w.works()
	}
}

// works lets somebody do his work: a scheduler its turn, a worker a task, or one who hangs go on.
func (w *world) works() {
	if paused := w.hanging(); len(paused) > 0 && w.rng.IntN(6) == 0 {
		w.resume(paused[w.rng.IntN(len(paused))])
		return
	}
	if w.rng.IntN(8) == 0 {
		w.restart()
	}
	pending := w.queue.Pending()
	if len(pending) > 0 && w.rng.IntN(5) > 0 {
		if p := w.idle(w.workers); p != nil {
			w.handle(p, pending[w.rng.IntN(len(pending))])
			return
		}
	}
	p := w.leader()
	if !p.free() || w.rng.IntN(12) == 0 { // one who leads no more may not know it
		p = w.idle(w.schedulers)
		if p != nil && p.term != w.term && w.rng.IntN(2) == 0 {
			w.lead(p)
		}
	}
	if p.free() && p.term > 0 {
		w.turn(p)
		return
	}
	w.jump()
}

// free tells of a scheduler whether it could do its turn.
func (p *process) free() bool { return p != nil && !p.dead && !p.leaving && len(p.actors) == 0 }

// idle is one of the processes that live; nil where none does.
func (w *world) idle(of []*process) *process {
	alive := slices.DeleteFunc(slices.Clone(of), func(p *process) bool {
		return p.dead || p.leaving || p.sched != nil && len(p.actors) > 0
	})
	if len(alive) == 0 {
		return nil
	}
	return alive[w.rng.IntN(len(alive))]
}

// resume lets one who hangs go on.
func (w *world) resume(a *actor) {
	w.tell("%s goes on", a.name)
	over := w.rightIsOver(a)
	before := w.tables(over)
	w.proceed(a)
	if over && before != w.tables(true) {
		w.violate("%s wrote after its right to it was over", a.name)
	}
	if !a.ended {
		return
	}
	if a.run != nil {
		w.release(a)
	} else {
		w.promise(a)
	}
}

// jump lets time pass to something that is due, or just so.
func (w *world) jump() {
	to := []time.Duration{
		w.until(w.set.PollPeriod), w.until(w.set.PollPeriod), w.until(w.set.BackupServicePeriod), w.until(w.set.BackupServicePeriod),
		w.until(w.set.RetentionServicePeriod), w.backupTime, 100 * time.Second, 121 * time.Second, w.set.PostSettleTime.Std(),
		time.Duration(w.rng.IntN(300)) * time.Second, time.Hour,
	}
	if next := w.queue.NextChange(); !next.IsZero() {
		to = append(to, next.Sub(w.now), next.Sub(w.now))
	}
	d := to[w.rng.IntN(len(to))]
	w.pass(d)
	w.tell("%s later", d)
}

// loses takes the queue's data away, or puts a task aside for good.
func (w *world) loses() {
	if pending := w.queue.Pending(); len(pending) > 0 && w.rng.IntN(3) == 0 {
		id := pending[w.rng.IntN(len(pending))]
		w.tell("task %s is archived", id)
		w.queue.Archive(id)
		return
	}
	w.tell("the queue loses its data")
	w.queue.Lose()
}

// kills ends a process where it stands.
func (w *world) kills() {
	all := append(slices.Clone(w.schedulers), w.workers...)
	p := all[w.rng.IntN(len(all))]
	w.tell("%s is killed", p.name)
	p.dead = true
	w.bury(p)
}

// restart puts new processes in place of those that are dead, or have left.
func (w *world) restart() {
	over := func(p *process) bool { return p.dead || p.leaving && len(p.actors) == 0 }
	for range len(w.schedulers) {
		if i := slices.IndexFunc(w.schedulers, over); i >= 0 && w.startScheduler() {
			w.schedulers = slices.Delete(w.schedulers, i, i+1)
		}
	}
	for range len(w.workers) {
		if i := slices.IndexFunc(w.workers, over); i >= 0 && w.startWorker() {
			w.workers = slices.Delete(w.workers, i, i+1)
		}
	}
}

// rest lets the world come to rest without faults, and tells how it is then.
func (w *world) rest() {
	w.heal()
	if p := w.leader(); p == nil {
		w.lead(w.schedulers[0])
	}
	set := w.set
	quiet := w.now.Add(set.BackupMinInterval.Std() + 3*set.BackupServicePeriod.Std())
	if swept := w.now.Add(w.until(set.SweepPeriod) + time.Minute); swept.After(quiet) {
		quiet = swept
	}
	w.undisturbed(quiet, quiet.Add(2*time.Hour))
}

// undisturbed lets all that is due be done, until a time and then until nothing is under way, or the bound comes.
func (w *world) undisturbed(until, bound time.Time) {
	stride := minutes(1)
	for w.now.Before(until) || w.now.Before(bound) && w.busy() {
		w.turn(w.leader())
		stride = min(2*stride, minutes(8)) // the longer nothing happens, the less often it is looked for
		for pending := w.queue.Pending(); len(pending) > 0; pending = w.queue.Pending() {
			w.handle(w.workers[w.rng.IntN(len(w.workers))], pending[0])
			stride = minutes(1)
		}
		w.pass(w.untilNext(stride))
	}
}

// untilNext is the time to what is due next while nothing goes wrong.
func (w *world) untilNext(stride backup.Duration) time.Duration {
	next := min(w.until(w.set.BackupServicePeriod), w.until(w.set.RetentionServicePeriod), w.until(w.set.SweepPeriod))
	if change := w.queue.NextChange(); !change.IsZero() {
		next = min(next, max(change.Sub(w.now), time.Second))
	}
	if w.busy() {
		next = min(next, w.until(stride))
	}
	return next
}

// busy reports whether anything is between its plan and its end.
func (w *world) busy() bool {
	is, err := inprocess.Busy(w.ctx, w.place.hand)
	w.must(err)
	return is
}
