package openstack

import (
	"context"
	"time"
)

// A clock is the time that retries, tokens and durations in the log go by. It
// decides nothing about backups: that is the database's clock.
type clock struct {
	now func() time.Time
	// wait returns after d, or ctx's error when ctx ends before.
	wait func(ctx context.Context, d time.Duration) error
}

func wallClock() clock {
	return clock{
		now: time.Now, //nolint:forbidigo // the one place: durations of our own calls, never a decision about backups
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
