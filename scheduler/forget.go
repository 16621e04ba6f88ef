package scheduler

import (
	"context"
	"time"

	"staffeln/db"
)

// forget deletes the expired history of records, failures, gone volumes and reports.
// It does not depend on the other results of a run.
func (s *Scheduler) forget(ctx context.Context, b *db.Run) error {
	var before *time.Time
	if !s.Settings.HistoryTime.IsZero() {
		before = new(s.Settings.HistoryTime.Before(b.Now))
		if _, err := b.Forget(ctx, *before); err != nil {
			return err
		}
	}
	if _, err := b.ForgetFailures(ctx); err != nil {
		return err
	}
	if before != nil {
		if err := b.ForgetDays(ctx, *before); err != nil {
			return err
		}
	}
	if err := b.ForgetGone(ctx, before); err != nil {
		return err
	}
	return b.ForgetReports(ctx, before)
}
