package openstack

import (
	"context"
	"time"
)

// A clock is the time for retries, tokens and durations in the log. Decisions about backups use the database's clock, never
// this one.
type clock struct {
	now func() time.Time
	// wait returns nil after d, or ctx's error if ctx ends first.
	wait func(ctx context.Context, d time.Duration) error
}

func wallClock() clock {
	return clock{
		now: time.Now, //nolint:forbidigo // the only use: durations of our own calls, never a decision about backups
		wait: func(ctx context.Context, d time.Duration) error {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-t.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
}
