package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/internal/inprocess"
	"staffeln/internal/queuemodel"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/worker"
)

// cloud returns a client for one process; nil if it cannot connect now.
func (env *environment) cloud() *openstack.Cloud {
	cloud, err := inprocess.Connect(env.ctx, env.sim, "staffeln", transport{env})
	if err != nil {
		env.trace("no start: %s", brief(err))
		return nil
	}
	return cloud
}

func (env *environment) identity(cloud *openstack.Cloud) backup.Identity {
	return backup.Identity{Installation: fmt.Sprintf("chaos-%d", env.seed), UserID: cloud.UserID()}
}

func (env *environment) startScheduler() (ok bool) {
	cloud := env.cloud()
	if cloud == nil {
		return false
	}
	env.started++
	p := &process{name: fmt.Sprintf("S%d", env.started), cloud: cloud}
	p.sched = &scheduler.Scheduler{
		DB: env.store.db, Cloud: p.cloud, Queue: env.queue, Settings: env.set, Metrics: env.store.metrics, Identity: env.identity(p.cloud), InTurn: true,
	}
	env.schedulers = append(env.schedulers, p)
	env.trace("%s starts", p.name)
	return true
}

func (env *environment) startWorker() (ok bool) {
	cloud := env.cloud()
	if cloud == nil {
		return false
	}
	env.started++
	p := &process{name: fmt.Sprintf("W%d", env.started), cloud: cloud}
	p.handlers = (&worker.Worker{
		DB: env.store.db, Cloud: p.cloud, Settings: env.set, Metrics: env.store.metrics, Identity: env.identity(p.cloud),
	}).Handlers()
	env.workers = append(env.workers, p)
	env.trace("%s starts", p.name)
	return true
}

// lead begins a term of a scheduler, as if it had got the leadership lock.
func (env *environment) lead(p *process) {
	var err error
	p.term, err = inprocess.Lead(env.ctx, env.store.conn, p.name)
	env.must(err)
	env.term = p.term
	env.trace("%s leads in term %d", p.name, p.term)
}

// leader returns the scheduler of the newest term, which may be dead; nil if it was replaced.
func (env *environment) leader() *process {
	for _, p := range env.schedulers {
		if p.term == env.term && p.term > 0 {
			return p
		}
	}
	return nil
}

// turn lets a scheduler run what is due, in the term in which it takes itself for the leader.
func (env *environment) turn(p *process) *actor {
	a := env.newActor(p, "turn", func(ctx context.Context) error {
		_, err := p.sched.Turn(ctx, p.term)
		return err
	})
	env.must(env.store.conn.QueryRow(env.ctx, `SELECT planned_at FROM leadership`).Scan(&a.planned))
	env.proceed(a)
	if a.ended {
		env.promise(a)
	}
	return a
}

// handle lets a worker take a pending task.
func (env *environment) handle(p *process, id string) *actor {
	run := env.queue.Start(id)
	do := inprocess.Handler(p.handlers, run.Kind)
	a := env.newActor(p, fmt.Sprintf("%s %s", strings.TrimPrefix(string(run.Kind), "volume:"), strings.TrimPrefix(id, "volume:")), func(ctx context.Context) error {
		return do(ctx, run.Volume)
	})
	a.run = run
	env.trace("%s begins", a.name)
	env.proceed(a)
	if a.ended {
		env.release(a)
	}
	return a
}

// release reports a handler's result to the queue.
func (env *environment) release(a *actor) {
	switch {
	case a.run == nil || a.unreported:
	case a.process.dead:
		a.run.Abandon(env.recovery())
	case a.drained:
		a.run.GiveBack()
	case env.queueAway || env.chance(env.style.lostEnds):
		env.trace("%s: the queue does not hear of it", a.name)
		a.run.Abandon(env.recovery())
	default:
		a.run.End(a.err)
	}
	a.unreported = true
}

// recovery returns how long the queue takes to notice that a worker is gone.
func (env *environment) recovery() time.Duration {
	return queuemodel.SoonestRecovery + time.Duration(env.rng.Int64N(int64(queuemodel.LatestRecovery-queuemodel.SoonestRecovery)))
}

// hung reports a handler that hangs to the queue: either its process is frozen, and the task's lease expires, or only its
// call hangs, and the handler times out after 100 s.
func (env *environment) hung(a *actor) {
	if a.run != nil && !a.unreported && env.rng.IntN(2) == 0 {
		a.run.Abandon(env.recovery())
		a.unreported = true
	}
}

// endOverdue ends the handlers whose time is over, for the queue.
func (env *environment) endOverdue() {
	for _, p := range env.workers {
		for _, a := range p.actors {
			if a.run != nil && !a.unreported && env.now.Sub(a.began) >= 100*time.Second {
				env.trace("%s: time over", a.name)
				a.run.End(context.DeadlineExceeded)
				a.unreported = true
			}
		}
	}
}

// drain sends SIGTERM to a process: the contexts of its handlers end.
func (env *environment) drain(p *process) {
	p.leaving = true
	for _, a := range p.actors {
		a.drained = true
		a.cancel()
	}
}
