package chaos

import (
	"slices"
	"strings"
	"time"

	"staffeln/tasks"
)

// stalls lets one hang at a call of his, others do the same work meanwhile, and him go on then.
func (w *world) stalls() {
	switch w.rng.IntN(6) {
	case 0, 1:
		w.stallsTurn()
	case 5:
		w.stallsRole()
	case 2, 3:
		w.stallsRun()
	default:
		w.stallsCinder()
	}
}

// stallsCinder lets Cinder answer what a handler asks for oddly, mostly later than that waits. The dispatch runs go on.
func (w *world) stallsCinder() {
	for range 3 {
		for _, id := range w.queue.Pending() {
			if p := w.idle(w.workers); p != nil {
				w.chosen = &fate{of: near, at: 1, what: odd}
				w.handle(p, id)
			}
		}
		w.pass(w.until(w.set.PollPeriod))
		if p := w.leader(); p.free() {
			w.turn(p)
		}
	}
}

// stallsTurn lets the leader hang before one of its writes, mostly of a plan. Meanwhile an operator asks for backups, or
// another one leads.
func (w *world) stallsTurn() {
	if w.rng.IntN(4) > 0 { // many volumes are due when an interval is over
		w.pass(w.until(max(w.set.BackupServicePeriod, some(w, 0, w.set.BackupMinInterval))))
	}
	p := w.leader()
	if !p.free() {
		return
	}
	w.chosen = &fate{of: writes, at: 1 + w.rng.IntN(8), what: paused}
	a := w.turn(p)
	if a.ended {
		return
	}
	if next := w.idle(w.schedulers); next != nil && w.rng.IntN(2) == 0 {
		w.lead(next)
		for range w.rng.IntN(4) {
			w.works()
		}
	} else {
		for _, v := range w.living() {
			w.backupNow(v)
		}
	}
	w.goesOn(a)
}

// stallsRun lets a handler hang that has its volume's lease. Meanwhile that runs out, and mostly another one takes it.
func (w *world) stallsRun() {
	a := w.hangs()
	if a == nil {
		w.works()
		return
	}
	if w.rng.IntN(3) == 0 {
		w.pass(tasks.Lease + time.Second)
	} else {
		w.anotherRun(a)
	}
	w.goesOn(a)
}

// hangs lets a handler hang that has its volume's lease; nil where none does.
func (w *world) hangs() *actor {
	for range 3 {
		pending, p := w.queue.Pending(), w.idle(w.workers)
		if len(pending) == 0 || p == nil {
			break
		}
		w.chosen = &fate{at: 2 + w.rng.IntN(8), what: paused}
		if a := w.handle(p, pending[w.rng.IntN(len(pending))]); !a.ended {
			return a
		}
	}
	return nil
}

// goesOn lets one who hung go on, if he still does.
func (w *world) goesOn(a *actor) {
	if !a.ended && !a.process.dead {
		w.resume(a)
	}
}

// hanging are the actors that are paused.
func (w *world) hanging() (all []*actor) {
	for _, p := range append(slices.Clone(w.schedulers), w.workers...) {
		all = append(all, p.actors...)
	}
	return all
}

// overtakes lets the others go past one who hangs, and mostly lets him go on after that.
func (w *world) overtakes() {
	all := w.hanging()
	a := all[w.rng.IntN(len(all))]
	if a.run != nil && !a.leased.IsZero() && w.rng.IntN(3) == 0 {
		w.anotherRun(a)
	}
	for range 1 + w.rng.IntN(4) {
		if a.run == nil && w.style.operators > 0 && w.rng.IntN(2) == 0 {
			w.operatorActs()
		}
		switch w.rng.IntN(6) {
		case 0:
			w.tenantActs()
		case 1:
			w.pass(some(w, 30*time.Second, 121*time.Second, w.set.PostSettleTime.Std()+time.Second, w.until(w.set.BackupServicePeriod), w.set.BackupServicePeriod.Std()))
		case 2, 3:
			p := w.idle(w.schedulers)
			if p == nil {
				break
			}
			if p.term != w.term {
				w.lead(p)
			}
			w.turn(p)
		default:
			for range 4 {
				pending, p := w.queue.Pending(), w.idle(w.workers)
				if len(pending) == 0 || p == nil {
					break
				}
				w.handle(p, pending[0])
			}
		}
	}
	if w.rng.IntN(4) > 0 {
		w.goesOn(a)
	}
}

// anotherRun brings the volume of a handler that hangs to another one, which mostly hangs too: as soon as the queue gives
// the task out again, or when the lease is over.
func (w *world) anotherRun(a *actor) {
	if !a.untold {
		a.run.Abandon(w.recovery())
		a.untold = true
	}
	if w.rng.IntN(3) > 0 {
		w.pass(max(0, a.leased.Add(tasks.Lease+time.Second).Sub(w.now)))
		if p := w.leader(); p.free() {
			w.turn(p)
		}
	} else if next := w.queue.NextChange(); !next.IsZero() {
		w.pass(next.Sub(w.now))
	}
	id := "volume:" + a.run.Volume.VolumeID
	for _, pending := range w.queue.Pending() {
		p := w.idle(w.workers)
		if p == nil || pending != id && !strings.HasPrefix(pending, id+":") {
			continue
		}
		if w.rng.IntN(3) > 0 {
			w.chosen = &fate{at: 2 + w.rng.IntN(8), what: paused}
		}
		w.handle(p, pending)
	}
}
