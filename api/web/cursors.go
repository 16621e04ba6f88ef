package web

import (
	"context"
	"net/http"
	"time"

	"staffeln/db"
)

const (
	// maxReads is how many requests are read and computed at a time. Some MiB each for a volume with a long history.
	maxReads = db.PageConnections
	// turnTime is how long a request waits for its turn: as long as nobody would notice.
	turnTime = 2 * time.Second
)

// errNoSlot is a request that got no turn.
var errNoSlot = fault{http.StatusServiceUnavailable, "too many others read this at the moment: try again in a second"}

// places are how many looks there may be at a time.
type readSlots chan struct{}

func newReadSlots(n int) readSlots { return make(readSlots, n) }

// take waits for a place, and reports whether it has one.
func (p readSlots) take(ctx context.Context) bool {
	select {
	case p <- struct{}{}:
		return true
	default:
	}
	turn := time.NewTimer(turnTime)
	defer turn.Stop()
	select {
	case p <- struct{}{}:
		return true
	case <-turn.C:
	case <-ctx.Done():
	}
	return false
}

func (p readSlots) leave() { <-p }
