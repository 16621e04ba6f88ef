package api

import (
	"context"
	"sync"
	"time"

	"staffeln/internal/telemetry"
)

const (
	sharedRate = 200 // questions a second of one address while others ask too; Cinder's apis ask a few
	aloneRate  = 2 * time.Second
	maxDelay   = time.Second // and so the most that a question comes later
	maxClients = 4096        // whose pace is remembered; the next ones share one
	maxWaiting = checksMost  // at a time; what is more is refused
)

// pace holds back the address that asks very often while others ask too, so that their questions find the processor, and
// the database, idle. A body counts as one question more for each bodyUsual of its length. Who asks alone is answered as
// fast as can be.
type addressThrottle struct {
	now func() time.Duration

	held held

	mu      sync.Mutex
	last    string        // who asked last
	changed time.Duration // when that last became another address than before; 0: it never did
	clients limiters
}

func newAddressThrottle() *addressThrottle {
	return &addressThrottle{now: telemetry.Stopwatch(), held: make(held, maxWaiting), clients: newLimiters(sharedRate, sharedRate/10, maxClients)}
}

// wait returns when the address's next question may be worked on, or ctx ends. It reports whether there was room to wait.
func (p *addressThrottle) wait(ctx context.Context, address string, length int64) bool {
	d := p.delay(address, length)
	return d <= 0 || p.held.wait(ctx, d)
}

func (p *addressThrottle) delay(address string, length int64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.last != "" && p.last != address {
		p.changed = now
	}
	p.last = address
	if p.changed == 0 || now-p.changed > aloneRate {
		clear(p.clients.known)
		return 0
	}
	at := time.Unix(0, 0).Add(now)
	if length < 0 || length > bodyMost { // nobody says how long it is; or it is not read
		length = bodyMost
	}
	turn := p.clients.of(address).ReserveN(at, 1+int(length/bodyUsual))
	if d := turn.DelayFrom(at); d <= maxDelay {
		return d
	}
	turn.CancelAt(at)
	return maxDelay
}
