package chaos

import (
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/internal/inprocess"
)

// trouble runs the part of a run with faults.
func (env *environment) trouble() {
	env.lead(env.schedulers[0])
	if env.style.aged {
		env.calm = true
		env.runCalmly(env.now.Add(2*time.Hour), env.now.Add(2*time.Hour))
		env.calm = false
	}
	for range env.style.steps {
		env.step()
		env.advance(time.Duration(env.rng.IntN(3000)) * time.Millisecond)
	}
}

// step does one random thing.
func (env *environment) step() {
	s := env.style
	switch {
	case env.chance(s.tenants):
		env.tenantStep()
	case env.chance(s.situations):
		env.startOrEndSituation()
	case env.chance(s.outages):
		env.startOrEndOutage()
	case env.chance(s.queueLosses):
		env.loseTasks()
	case env.chance(s.kills):
		env.kill()
	case env.chance(s.takeovers):
		env.lead(env.schedulers[env.rng.IntN(len(env.schedulers))])
	case env.chance(s.operators):
		env.operatorStep()
	case env.chance(s.stalls):
		env.stall()
	case len(env.pausedActors()) > 0 && env.chance(s.overtakes):
		env.overtake()
	case env.rng.IntN(4) == 0:
		env.jump()
	default:
		env.work()
	}
}

// work runs one random process: a scheduler runs its turn, a worker a task, or a paused actor continues.
func (env *environment) work() {
	if paused := env.pausedActors(); len(paused) > 0 && env.rng.IntN(6) == 0 {
		env.resume(paused[env.rng.IntN(len(paused))])
		return
	}
	if env.rng.IntN(8) == 0 {
		env.restart()
	}
	pending := env.queue.Pending()
	if len(pending) > 0 && env.rng.IntN(5) > 0 {
		if p := env.idle(env.workers); p != nil {
			env.handle(p, pending[env.rng.IntN(len(pending))])
			return
		}
	}
	p := env.leader()
	if !p.free() || env.rng.IntN(12) == 0 { // or a scheduler that may not know that it lost leadership
		p = env.idle(env.schedulers)
		if p != nil && p.term != env.term && env.rng.IntN(2) == 0 {
			env.lead(p)
		}
	}
	if p.free() && p.term > 0 {
		env.turn(p)
		return
	}
	env.jump()
}

// free reports whether a scheduler can run a turn.
func (p *process) free() bool { return p != nil && !p.dead && !p.leaving && len(p.actors) == 0 }

// idle returns a random process that is alive and can work; nil if there is none.
func (env *environment) idle(of []*process) *process {
	alive := slices.DeleteFunc(slices.Clone(of), func(p *process) bool {
		return p.dead || p.leaving || p.sched != nil && len(p.actors) > 0
	})
	if len(alive) == 0 {
		return nil
	}
	return alive[env.rng.IntN(len(alive))]
}

// resume lets a paused actor continue.
func (env *environment) resume(a *actor) {
	env.trace("%s continues", a.name)
	over := env.mayNotWrite(a)
	before := env.tables(over)
	env.proceed(a)
	if over && before != env.tables(true) {
		env.violate("%s wrote after its right to it was over", a.name)
	}
	if !a.ended {
		return
	}
	if a.run != nil {
		env.release(a)
	} else {
		env.promise(a)
	}
}

// jump lets time pass until something is due, or for a random time.
func (env *environment) jump() {
	to := []time.Duration{
		env.until(env.set.PollPeriod), env.until(env.set.PollPeriod), env.until(env.set.BackupServicePeriod), env.until(env.set.BackupServicePeriod),
		env.until(env.set.RetentionServicePeriod), env.backupTime, 100 * time.Second, 121 * time.Second, env.set.PostSettleTime.Std(),
		time.Duration(env.rng.IntN(300)) * time.Second, time.Hour,
	}
	if next := env.queue.NextChange(); !next.IsZero() {
		to = append(to, next.Sub(env.now), next.Sub(env.now))
	}
	d := to[env.rng.IntN(len(to))]
	env.advance(d)
	env.trace("%s later", d)
}

// loseTasks removes all data of the queue, or archives one task.
func (env *environment) loseTasks() {
	if pending := env.queue.Pending(); len(pending) > 0 && env.rng.IntN(3) == 0 {
		id := pending[env.rng.IntN(len(pending))]
		env.trace("task %s is archived", id)
		env.queue.Archive(id)
		return
	}
	env.trace("the queue loses its data")
	env.queue.Lose()
}

// kill kills a random process.
func (env *environment) kill() {
	all := append(slices.Clone(env.schedulers), env.workers...)
	p := all[env.rng.IntN(len(all))]
	env.trace("%s is killed", p.name)
	p.dead = true
	env.endAll(p)
}

// restart replaces processes that are dead or have stopped.
func (env *environment) restart() {
	over := func(p *process) bool { return p.dead || p.leaving && len(p.actors) == 0 }
	for range len(env.schedulers) {
		if i := slices.IndexFunc(env.schedulers, over); i >= 0 && env.startScheduler() {
			env.schedulers = slices.Delete(env.schedulers, i, i+1)
		}
	}
	for range len(env.workers) {
		if i := slices.IndexFunc(env.workers, over); i >= 0 && env.startWorker() {
			env.workers = slices.Delete(env.workers, i, i+1)
		}
	}
}

// rest lets everything become idle, without faults.
func (env *environment) rest() {
	env.heal()
	if p := env.leader(); p == nil {
		env.lead(env.schedulers[0])
	}
	set := env.set
	earliest := env.now.Add(set.BackupMinInterval.Std() + 3*set.BackupServicePeriod.Std())
	if reconciled := env.now.Add(env.until(set.ReconcilePeriod) + time.Minute); reconciled.After(earliest) {
		earliest = reconciled
	}
	env.runCalmly(earliest, earliest.Add(2*time.Hour))
}

// runCalmly runs everything that is due, without faults, until the given time, and then until nothing is in progress or the
// limit is reached.
func (env *environment) runCalmly(until, bound time.Time) {
	stride := minutes(1)
	for env.now.Before(until) || env.now.Before(bound) && env.workLeft() {
		env.turn(env.leader())
		stride = min(2*stride, minutes(8)) // the longer nothing happens, the larger the steps
		for pending := env.queue.Pending(); len(pending) > 0; pending = env.queue.Pending() {
			env.handle(env.workers[env.rng.IntN(len(env.workers))], pending[0])
			stride = minutes(1)
		}
		env.advance(env.untilNext(stride))
	}
}

// untilNext returns the time until something is due, without faults.
func (env *environment) untilNext(stride backup.Duration) time.Duration {
	next := min(env.until(env.set.BackupServicePeriod), env.until(env.set.RetentionServicePeriod), env.until(env.set.ReconcilePeriod))
	if change := env.queue.NextChange(); !change.IsZero() {
		next = min(next, max(change.Sub(env.now), time.Second))
	}
	if env.workLeft() {
		next = min(next, env.until(stride))
	}
	return next
}

// workLeft reports whether anything is planned or in progress.
func (env *environment) workLeft() bool {
	is, err := inprocess.InProgress(env.ctx, env.store.conn)
	env.must(err)
	return is
}
