package api

import (
	"context"
	"sync"
	"time"

	"staffeln/internal/telemetry"
)

const (
	paceTogether = 200 // questions a second of one address while others ask too; Cinder's apis ask a few
	paceAlone    = 2 * time.Second
	paceLongest  = time.Second // and so the most that a question comes later
	paceClients  = 4096        // whose pace is remembered; the next ones share one
	paceWaiting  = checksMost  // at a time; what is more is refused
)

// pace holds back the address that asks very often while others ask too, so that their questions find the processor, and
// the database, idle. A body counts as one question more for each bodyUsual of its length. Who asks alone is answered as
// fast as can be.
type pace struct {
	now func() time.Duration

	held held

	mu      sync.Mutex
	last    string        // who asked last
	changed time.Duration // when that last became another address than before; 0: it never did
	clients limiters
}

func newPace() *pace {
	return &pace{now: telemetry.Stopwatch(), held: make(held, paceWaiting), clients: newLimiters(paceTogether, paceTogether/10, paceClients)}
}

// wait returns when the address's next question may be worked on, or ctx ends. It reports whether there was room to wait.
func (p *pace) wait(ctx context.Context, address string, length int64) bool {
	d := p.delay(address, length)
	return d <= 0 || p.held.wait(ctx, d)
}

func (p *pace) delay(address string, length int64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.last != "" && p.last != address {
		p.changed = now
	}
	p.last = address
	if p.changed == 0 || now-p.changed > paceAlone {
		clear(p.clients.known)
		return 0
	}
	at := time.Unix(0, 0).Add(now)
	if length < 0 || length > bodyMost { // nobody says how long it is; or it is not read
		length = bodyMost
	}
	turn := p.clients.of(address).ReserveN(at, 1+int(length/bodyUsual))
	if d := turn.DelayFrom(at); d <= paceLongest {
		return d
	}
	turn.CancelAt(at)
	return paceLongest
}
