package api

import (
	"context"
	"sync"
	"time"

	"staffeln/internal/telemetry"
)

const (
	sharedRate = 200 // requests per second of one address while other addresses send requests too; cinder-api sends a few
	sharedTime = 2 * time.Second
	maxDelay   = time.Second      // upper bound of the delay
	maxClients = 4096             // addresses with a rate limit of their own; all others share one
	maxWaiting = maxWaitingChecks // requests delayed at a time; further ones are rejected
)

// addressThrottle delays an address that sends very many requests while other addresses send requests too. The requests of the
// others then find an idle CPU and an idle database. A body counts as one more request per bodyUsual bytes. An address that is
// alone is not delayed.
type addressThrottle struct {
	now func() time.Duration

	slots slots

	mu      sync.Mutex
	last    string        // address of the last request
	changed time.Duration // when last changed to another address; 0: never
	clients limiters
}

func newAddressThrottle() *addressThrottle {
	return &addressThrottle{now: telemetry.Stopwatch(), slots: make(slots, maxWaiting), clients: newLimiters(sharedRate, sharedRate/10, maxClients)}
}

// wait returns when work on the address's next request may begin, or when ctx ends. It reports false if too many requests wait
// already.
func (p *addressThrottle) wait(ctx context.Context, address string, length int64) bool {
	d := p.delay(address, length)
	return d <= 0 || p.slots.wait(ctx, d)
}

func (p *addressThrottle) delay(address string, length int64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.last != "" && p.last != address {
		p.changed = now
	}
	p.last = address
	if p.changed == 0 || now-p.changed > sharedTime {
		clear(p.clients.known)
		return 0
	}
	at := time.Unix(0, 0).Add(now)
	if length < 0 || length > bodyMost { // chunked, or too long to be read
		length = bodyMost
	}
	turn := p.clients.of(address).ReserveN(at, 1+int(length/bodyUsual))
	if d := turn.DelayFrom(at); d <= maxDelay {
		return d
	}
	turn.CancelAt(at)
	return maxDelay
}
