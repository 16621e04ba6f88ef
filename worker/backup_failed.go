package worker

import (
	"context"
	"errors"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// nextPoll returns one poll period from now, but not later than the given end.
func (w *Worker) nextPoll(now, end time.Time) time.Time {
	next := now.Add(w.Settings.PollPeriod.Std())
	if end.After(now) && end.Before(next) {
		return end
	}
	return next
}

// fail ends the record and logs the failure.
func (w *Worker) fail(ctx context.Context, c *db.Lease, r backup.Record, why db.Why) error {
	after, err := c.Fail(ctx, r, why)
	if err != nil {
		return err
	}
	logFailure(ctx, c, after, why)
	return nil
}

// refused records a request that Cinder did not accept: as final, or as a wait.
// A wait is returned as an error, so that the queue shows it.
func (w *Worker) refused(ctx context.Context, c *db.Lease, r backup.Record, err error) error {
	why, final := reasonOf(err)
	if final {
		return w.fail(ctx, c, r, why)
	}
	if r.State == backup.Planned {
		return w.wait(ctx, c, r, err)
	}
	var ce *backup.CloudError
	if !errors.As(err, &ce) || ce.Unknown {
		why.Reason = backup.ResponseUnknown
		_, noted := c.Unanswered(ctx, r, why, w.nextPoll(c.Now, time.Time{}))
		return errors.Join(err, noted)
	}
	again := c.Now.Add(w.backOff(r.Attempts, ce.RetryAfter))
	if r.Deadline != nil && r.Deadline.After(c.Now) && r.Deadline.Before(again) {
		again = *r.Deadline
	}
	_, noted := c.NotAccepted(ctx, r, why, again)
	return errors.Join(err, noted)
}

// wait leaves the record as it is for one poll period and returns err.
func (w *Worker) wait(ctx context.Context, c *db.Lease, r backup.Record, err error) error {
	last, cancel := lasting(ctx)
	defer cancel()
	_, noted := c.Later(last, r, backup.Status(r.CinderStatus), w.nextPoll(c.Now, time.Time{}))
	return errors.Join(err, noted)
}

// longestBackOff is the longest back-off of our own, unless one poll period is longer.
const longestBackOff = 16 * time.Minute

// backOff starts at one poll period, and is never shorter than the cloud asked
// for, up to [backup.MaxAskedWait].
func (w *Worker) backOff(attempts int, asked time.Duration) time.Duration {
	period := w.Settings.PollPeriod.Std()
	pause := backup.BackOff{First: period, Longest: max(period, longestBackOff)}.Pause(attempts)
	return max(pause, min(asked, backup.MaxAskedWait))
}
