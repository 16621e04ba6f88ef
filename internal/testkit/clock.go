package testkit

import (
	"sync"
	"time"
)

// Clock is time that only a test moves. It may be used from several goroutines.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock answers a clock that stands at the given time.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now answers the time at which the clock stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Step moves the clock on and answers the new time.
func (c *Clock) Step(by time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
	return c.now
}

// Set moves the clock to a time, back too.
func (c *Clock) Set(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = to
}
