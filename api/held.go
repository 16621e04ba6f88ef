package api

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// limiters are the rate limits of single addresses. Addresses beyond the most that are remembered share one limit: a cache that
// forgets the oldest would let a flood of addresses lift the limits of all.
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

// held is a channel that has a slot for each request that may wait at a time.
type held chan struct{}

// wait returns after d, or when ctx ends. It returns false at once where no slot is free.
func (h held) wait(ctx context.Context, d time.Duration) bool {
	select {
	case h <- struct{}{}:
		defer func() { <-h }()
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
