package chaos

import (
	"slices"
	"strings"
	"time"

	"staffeln/tasks"
)

// stall pauses an actor at one of its calls, lets others do the same work, and then lets the actor continue.
func (env *environment) stall() {
	switch env.rng.IntN(6) {
	case 0, 1:
		env.stallTurn()
	case 5:
		env.loseRoleDuringPlan()
	case 2, 3:
		env.stallHandler()
	default:
		env.stallCinder()
	}
}

// stallCinder gives handlers odd responses of Cinder, mostly after they have timed out. Dispatch runs continue.
func (env *environment) stallCinder() {
	for range 3 {
		for _, id := range env.queue.Pending() {
			if p := env.idle(env.workers); p != nil {
				env.nextFault = &fault{of: near, at: 1, what: odd}
				env.handle(p, id)
			}
		}
		env.advance(env.until(env.set.PollPeriod))
		if p := env.leader(); p.free() {
			env.turn(p)
		}
	}
}

// stallTurn pauses the leader before one of its writes, mostly of a plan. Meanwhile an operator requests backups, or another
// scheduler leads.
func (env *environment) stallTurn() {
	if env.rng.IntN(4) > 0 { // many volumes are due at the end of an interval
		env.advance(env.until(max(env.set.BackupServicePeriod, some(env, 0, env.set.BackupMinInterval))))
	}
	p := env.leader()
	if !p.free() {
		return
	}
	env.nextFault = &fault{of: writes, at: 1 + env.rng.IntN(8), what: paused}
	a := env.turn(p)
	if a.ended {
		return
	}
	if next := env.idle(env.schedulers); next != nil && env.rng.IntN(2) == 0 {
		env.lead(next)
		for range env.rng.IntN(4) {
			env.work()
		}
	} else {
		for _, v := range env.living() {
			env.backupNow(v)
		}
	}
	env.continueActor(a)
}

// stallHandler pauses a handler that has its volume's lease. Meanwhile the lease expires, and mostly another handler gets it.
func (env *environment) stallHandler() {
	a := env.pausedHandler()
	if a == nil {
		env.work()
		return
	}
	if env.rng.IntN(3) == 0 {
		env.advance(tasks.LeaseTime + time.Second)
	} else {
		env.anotherHandler(a)
	}
	env.continueActor(a)
}

// pausedHandler pauses a handler that has its volume's lease; nil if there is none.
func (env *environment) pausedHandler() *actor {
	for range 3 {
		pending, p := env.queue.Pending(), env.idle(env.workers)
		if len(pending) == 0 || p == nil {
			break
		}
		env.nextFault = &fault{at: 2 + env.rng.IntN(8), what: paused}
		if a := env.handle(p, pending[env.rng.IntN(len(pending))]); !a.ended {
			return a
		}
	}
	return nil
}

// continueActor lets an actor continue, if it is still paused.
func (env *environment) continueActor(a *actor) {
	if !a.ended && !a.process.dead {
		env.resume(a)
	}
}

// pausedActors returns the paused actors.
func (env *environment) pausedActors() (all []*actor) {
	for _, p := range append(slices.Clone(env.schedulers), env.workers...) {
		all = append(all, p.actors...)
	}
	return all
}

// overtake lets others do the work of a paused actor, and mostly lets the actor continue after that.
func (env *environment) overtake() {
	all := env.pausedActors()
	a := all[env.rng.IntN(len(all))]
	if a.run != nil && !a.leased.IsZero() && env.rng.IntN(3) == 0 {
		env.anotherHandler(a)
	}
	for range 1 + env.rng.IntN(4) {
		if a.run == nil && env.style.operators > 0 && env.rng.IntN(2) == 0 {
			env.operatorStep()
		}
		switch env.rng.IntN(6) {
		case 0:
			env.tenantStep()
		case 1:
			env.advance(some(env, 30*time.Second, 121*time.Second, env.set.PostSettleTime.Std()+time.Second, env.until(env.set.BackupServicePeriod), env.set.BackupServicePeriod.Std()))
		case 2, 3:
			p := env.idle(env.schedulers)
			if p == nil {
				break
			}
			if p.term != env.term {
				env.lead(p)
			}
			env.turn(p)
		default:
			for range 4 {
				pending, p := env.queue.Pending(), env.idle(env.workers)
				if len(pending) == 0 || p == nil {
					break
				}
				env.handle(p, pending[0])
			}
		}
	}
	if env.rng.IntN(4) > 0 {
		env.continueActor(a)
	}
}

// anotherHandler gives the volume of a paused handler to another one, which is mostly paused too: when the queue runs the task
// again, or when the lease has expired.
func (env *environment) anotherHandler(a *actor) {
	if !a.unreported {
		a.run.Abandon(env.recovery())
		a.unreported = true
	}
	if env.rng.IntN(3) > 0 {
		env.advance(max(0, a.leased.Add(tasks.LeaseTime+time.Second).Sub(env.now)))
		if p := env.leader(); p.free() {
			env.turn(p)
		}
	} else if next := env.queue.NextChange(); !next.IsZero() {
		env.advance(next.Sub(env.now))
	}
	id := "volume:" + a.run.Volume.VolumeID
	for _, pending := range env.queue.Pending() {
		p := env.idle(env.workers)
		if p == nil || pending != id && !strings.HasPrefix(pending, id+":") {
			continue
		}
		if env.rng.IntN(3) > 0 {
			env.nextFault = &fault{at: 2 + env.rng.IntN(8), what: paused}
		}
		env.handle(p, pending)
	}
}
