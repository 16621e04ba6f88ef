package api

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// limiters holds one rate limiter per address, for at most `most` addresses. All other addresses share one. A cache that
// evicts the oldest would let a flood of addresses reset the limits of all.
type limiters struct {
	perSecond, burst, most int

	known map[string]*rate.Limiter
}

func newLimiters(perSecond, burst, most int) limiters {
	return limiters{perSecond, burst, most, map[string]*rate.Limiter{}}
}

func (l limiters) of(address string) *rate.Limiter {
	if _, known := l.known[address]; !known && len(l.known) >= l.most {
		address = ""
	}
	one, known := l.known[address]
	if !known {
		one = rate.NewLimiter(rate.Limit(l.perSecond), l.burst)
		l.known[address] = one
	}
	return one
}

// slots is a semaphore with a slot for each request that may be delayed at a time.
type slots chan struct{}

// wait returns after d, or when ctx ends. It returns false at once if no slot is free.
func (s slots) wait(ctx context.Context, d time.Duration) bool {
	select {
	case s <- struct{}{}:
		defer func() { <-s }()
	default:
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return true
}
