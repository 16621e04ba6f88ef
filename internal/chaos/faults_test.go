package chaos

import (
	"errors"
)

// A fault is what happens to an actor at one of its calls.
type fault struct {
	at   int // number of the call, as counted by of; 0: no fault
	of   counting
	what effect
}

// A counting is a way to count an actor's calls.
type counting int

const (
	each   counting = iota
	near            // from the first call that changes something
	writes          // beginnings of transactions: each write of a scheduler has one
)

// count returns the number of calls that an actor has made.
func (a *actor) count(of counting) int {
	switch of {
	case near:
		if a.changed == 0 {
			return 0
		}
		return a.calls - a.changed + 1
	case writes:
		return a.begun
	default:
		return a.calls
	}
}

// due reports whether the fault should happen now.
func (f fault) due(a *actor) bool { return a.count(f.of) >= f.at }

// An effect is what a fault does to one call.
type effect string

const (
	nothing      effect = ""
	refused      effect = "refused"       // the call fails without effect
	responseLost effect = "response lost" // the call has its effect and returns an error
	odd          effect = "odd"           // the cloud's response is odd
	paused       effect = "paused"        // the call hangs, or its process is frozen, while others continue
	diesFirst    effect = "dies first"    // the process dies before the call
	diesAfter    effect = "dies after"    // the process dies after the call's effect
	drained      effect = "drained"       // the process gets SIGTERM
	expired      effect = "expired"       // the handler's time was over before the call
)

var (
	errDead         = errors.New("the process is dead")
	errRefused      = errors.New("refused by the seed")
	errResponseLost = errors.New("the response was lost by the seed")
)
