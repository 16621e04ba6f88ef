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

// A process is one scheduler or one worker of ours, until it is killed.
type process struct {
	name     string
	cloud    *openstack.Cloud
	sched    *scheduler.Scheduler // nil: a worker
	handlers tasks.Handlers
	term     int64 // that a scheduler believes to lead in; 0 = none
	dead     bool
	leaving  bool // it was asked to stop
	actors   []*actor
}

// An actor is one line of control inside a process: a turn of a scheduler, or a run of a handler. It runs only when it is its
// turn, from one call to the outside to a later one.
type actor struct {
	environment *environment
	process     *process
	name        string
	began       time.Time
	changes     int        // of tenants before that
	planned     *time.Time // the newest plan before that; nil: none
	cancel      context.CancelFunc
	calls       int // to the outside so far
	changed     int // the number of the first one that changes something; 0 = none yet
	begun       int // transactions so far
	fault       fault
	resume      chan struct{}
	stopped     chan struct{} // paused, or ended
	paused      bool
	ended       bool
	err         error

	run        *queuemodel.Run // of a handler
	leased     time.Time       // when a handler got its volume's lease
	unreported bool            // what the handler returns does not reach the queue
	drained    bool
	astray     bool // Cinder shows it no backups
}

type actorKey struct{}

func actorOf(ctx context.Context) *actor {
	a, _ := ctx.Value(actorKey{}).(*actor)
	return a
}

// act creates an actor in a process, which does nothing yet.
func (env *environment) act(p *process, name string, do func(context.Context) error) *actor {
	met := env.chosen
	if env.chosen = nil; met == nil {
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

// proceed lets an actor go on to its end, or to where its fault pauses it.
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
	env.ends()
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

// A call is one call to the outside on its way.
type call struct {
	name     string
	pausable bool // nothing that others wait for is held meanwhile
	odd      bool // the cloud has odd answers to it
	changes  bool // something in the cloud, or in what a plan knows
	begins   bool // a transaction
	expires  bool // it ends with the time of the handler
}

// meet is asked before each call to the outside, and decides what becomes of it. It returns when the call may go on.
func (a *actor) meet(c call) strike {
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
	if a.run != nil && a.calls == 2 { // the first one was the lease
		env.leases(a)
	}
	what := nothing
	if a.fault.at != 0 && a.fault.due(a) {
		what = a.fault.what
		switch {
		case what == paused && !c.pausable, what == drained && !c.pausable, what == odd && !c.odd:
			what = nothing // at the next call that can be
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

// handlerTime is when a handler's context has ended for certain.
const handlerTime = tasks.Lease - 15*time.Second

// hang gives the turn back until the driver gives it again.
func (a *actor) hang(c call) {
	a.environment.trace("%s %d %s: paused", a.name, a.calls, c.name)
	a.environment.hung(a)
	a.paused, a.astray = true, false // whom it asks after that is another one
	a.stopped <- struct{}{}
	<-a.resume
	if !a.process.dead {
		a.fault = a.environment.drawFault(a.process)
		if a.fault.at > 0 && a.fault.of != near {
			a.fault.at += a.count(a.fault.of)
		}
	}
}

// brief leaves out what a connection of the pool had to clear first: which of them a caller gets is no part of a schedule.
func brief(err error) string {
	if err == nil {
		return "well"
	}
	text := strings.ReplaceAll(err.Error(), "failed to deallocate cached statement(s): ", "")
	return text[:min(len(text), 160)]
}
