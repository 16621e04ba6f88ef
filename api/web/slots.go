package web

import (
	"context"
	"net/http"
	"time"

	"staffeln/db"
)

const (
	// maxReads is how many requests may read and compute at a time. Each needs some MiB for a volume with a long history.
	maxReads = db.PageConnections
	// slotTimeout is how long a request waits for a slot: too short for a user to notice.
	slotTimeout = 2 * time.Second
)

// errNoSlot means that the request got no slot.
var errNoSlot = fault{http.StatusServiceUnavailable, "too many others read this at the moment: try again in a second"}

// readSlots is a semaphore for concurrent read transactions.
type readSlots chan struct{}

func newReadSlots(n int) readSlots { return make(readSlots, n) }

// take waits for a slot, and reports whether it got one.
func (p readSlots) take(ctx context.Context) bool {
	select {
	case p <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(slotTimeout)
	defer timer.Stop()
	select {
	case p <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (p readSlots) release() { <-p }
