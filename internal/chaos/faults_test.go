package chaos

import (
	"errors"
)

// A fault is what happens to an actor at one of its calls.
type fault struct {
	at   int // the number of the call, counted in its way; 0 = none
	of   counting
	what strike
}

// A counting is a way to count the calls of an actor.
type counting int

const (
	each   counting = iota
	near            // from the first one that changes something on
	writes          // the beginnings of transactions: each write of a scheduler is one
)

// count is how many calls an actor has made.
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

// due reports whether the fault's time has come.
func (f fault) due(a *actor) bool { return a.count(f.of) >= f.at }

// A strike is what happens to one call.
type strike string

const (
	nothing   strike = ""
	refused   strike = "refused"    // no effect, and an error
	unheard   strike = "unheard"    // its effect, and an error in place of the answer
	odd       strike = "odd"        // an answer of the cloud that is not what it should be
	paused    strike = "paused"     // it hangs, or its process is frozen, while the others go on
	diesFirst strike = "dies first" // the process dies before it
	diesAfter strike = "dies after" // the process dies when it has had its effect
	drained   strike = "drained"    // the process is asked to stop
	expired   strike = "expired"    // the time of the handler was over before it
)

var (
	errDead    = errors.New("the process is dead")
	errRefused = errors.New("refused by the seed")
	errUnheard = errors.New("the answer was lost by the seed")
)
