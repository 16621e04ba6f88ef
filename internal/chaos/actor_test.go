package chaos

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"staffeln/internal/queuemodel"
	"staffeln/openstack"
	"staffeln/scheduler"
	"staffeln/tasks"
)

// A process is one of our schedulers or workers, until it is killed.
type process struct {
	name     string
	cloud    *openstack.Cloud
	sched    *scheduler.Scheduler // nil for a worker
	handlers tasks.Handlers
	term     int64 // in which the scheduler takes itself for the leader; 0: none
	dead     bool
	leaving  bool // SIGTERM was sent
	actors   []*actor
}

// An actor is one thread of execution inside a process: a turn of a scheduler or the execution of a handler. Only one actor
// runs at a time, from one external call to a later one.
type actor struct {
	environment *environment
	process     *process
	name        string
	began       time.Time
	changes     int        // number of tenants' changes before it began
	planned     *time.Time // time of the newest plan before it began; nil: none
	cancel      context.CancelFunc
	calls       int // number of external calls so far
	changed     int // number of the first call that changes something; 0: none yet
	begun       int // number of transactions so far
	fault       fault
	resume      chan struct{}
	stopped     chan struct{} // paused, or ended
	paused      bool
	ended       bool
	err         error

	run        *queuemodel.Run // nil for a scheduler
	leased     time.Time       // when the handler got its volume's lease
	unreported bool            // the queue does not get the handler's result
	drained    bool
	noBackups  bool // Cinder shows no backups to it
}

type actorKey struct{}

func actorOf(ctx context.Context) *actor {
	a, _ := ctx.Value(actorKey{}).(*actor)
	return a
}

// newActor creates an actor in a process. It starts with proceed.
func (env *environment) newActor(p *process, name string, do func(context.Context) error) *actor {
	met := env.nextFault
	if env.nextFault = nil; met == nil {
		drawn := env.drawFault(p)
		met = &drawn
	}
	a := &actor{
		environment: env, process: p, name: p.name + " " + name, began: env.now, changes: env.tenancy.changes,
		resume: make(chan struct{}), stopped: make(chan struct{}), fault: *met,
	}
	ctx, cancel := context.WithCancel(context.WithValue(env.ctx, actorKey{}, a))
	a.cancel = cancel
	p.actors = append(p.actors, a)
	go func() {
		<-a.resume
		defer func() {
			if value := recover(); value != nil {
				env.violate("panic in %s: %v\n%s", a.name, value, debug.Stack())
			}
			a.ended = true
			a.stopped <- struct{}{}
		}()
		a.err = do(ctx)
	}()
	return a
}

// proceed runs an actor to its end, or until its fault pauses it.
func (env *environment) proceed(a *actor) {
	a.paused = false
	env.running = a
	a.resume <- struct{}{}
	<-a.stopped
	env.running = nil
	if a.ended {
		a.cancel()
		a.process.actors = slices.DeleteFunc(a.process.actors, func(o *actor) bool { return o == a })
		env.trace("%s ends: %s", a.name, brief(a.err))
	}
	if a.process.dead {
		env.endAll(a.process)
	}
	env.checkEnds()
}

// endAll ends the other actors of a dead process: none of their calls has an effect any more.
func (env *environment) endAll(p *process) {
	for len(p.actors) > 0 {
		a := p.actors[0]
		a.paused = false
		env.running = a
		a.resume <- struct{}{}
		<-a.stopped
		env.running = nil
		a.cancel()
		p.actors = slices.DeleteFunc(p.actors, func(o *actor) bool { return o == a })
		env.release(a)
	}
}

// A call is one external call.
type call struct {
	name     string
	pausable bool // no lock is held during the call
	odd      bool // the cloud has odd responses to it
	changes  bool // it changes something in the cloud or in the data of plans
	begins   bool // it begins a transaction
	expires  bool // it fails when the handler's time is over
}

// decide is called before each external call, and returns the call's fault. If the fault is a pause, decide returns when the
// actor continues.
func (a *actor) decide(c call) effect {
	env := a.environment
	if env.running != a {
		panic(fmt.Sprintf("%s calls %s, and it is not its turn", a.name, c.name))
	}
	a.calls++
	if a.process.dead {
		return diesFirst
	}
	if c.changes && a.changed == 0 {
		a.changed = a.calls
	}
	if c.begins {
		a.begun++
	}
	if a.run != nil && a.calls == 2 { // the first call was the lease
		env.noteLease(a)
	}
	what := nothing
	if a.fault.at != 0 && a.fault.due(a) {
		what = a.fault.what
		switch {
		case what == paused && !c.pausable, what == drained && !c.pausable, what == odd && !c.odd:
			what = nothing // at the next call for which it is possible
		default:
			a.fault = fault{}
		}
	}
	switch what {
	case paused:
		a.hang(c)
		if a.process.dead {
			return diesFirst
		}
		what = nothing
	case drained:
		env.trace("%s %d %s: asked to stop", a.name, a.calls, c.name)
		env.drain(a.process)
		what = nothing
	case diesFirst, diesAfter:
		env.trace("%s %d %s: %s", a.name, a.calls, c.name, what)
		a.process.dead = true
	default:
	}
	if c.expires && a.run != nil && env.now.Sub(a.began) > handlerTime {
		return expired
	}
	return what
}

// handlerTime is the time after which a handler's context has certainly ended.
const handlerTime = tasks.LeaseTime - 15*time.Second

// hang pauses the actor until the driver resumes it.
func (a *actor) hang(c call) {
	a.environment.trace("%s %d %s: paused", a.name, a.calls, c.name)
	a.environment.hung(a)
	a.paused, a.noBackups = true, false // after the pause it asks another replica
	a.stopped <- struct{}{}
	<-a.resume
	if !a.process.dead {
		a.fault = a.environment.drawFault(a.process)
		if a.fault.at > 0 && a.fault.of != near {
			a.fault.at += a.count(a.fault.of)
		}
	}
}

// brief removes an error's part about the cleanup of a pooled connection: which connection a caller gets is not part of the
// schedule.
func brief(err error) string {
	if err == nil {
		return "well"
	}
	text := strings.ReplaceAll(err.Error(), "failed to deallocate cached statement(s): ", "")
	return text[:min(len(text), 160)]
}
