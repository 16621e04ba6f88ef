package scheduler

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// queueTime is for how long nobody takes tasks, or Redis is away, before it is a
// finding: a restart takes less.
const queueTime = time.Minute

// queueTrouble remembers since when there is what.
type queueTrouble struct {
	reason   backup.Reason // empty: none
	since    time.Time
	recorded *backup.Reason // the finding that stands, empty: none; nil: nobody knows, as at the beginning of a term
}

// recordQueue keeps the finding that no worker takes tasks, or that Redis does not
// take them, and ends it where that is over. failed is what came of dispatching.
func (s *Scheduler) recordQueue(ctx context.Context, b *db.Run, failed error) error {
	reason, detail := backup.Reason(""), ""
	if workers, err := s.Queue.Workers(ctx); err != nil || failed != nil {
		reason, detail = backup.QueueUnreachable, "start Redis, or check STAFFELN_REDIS_URL; no task is lost"
	} else if workers == 0 {
		reason, detail = backup.NoWorker, "start one: staffeln worker"
	}
	if was := s.queue; was.since.IsZero() || was.reason != reason {
		s.queue.reason, s.queue.since = reason, b.Now
	}
	told := s.queue.recorded
	switch brief := reason != "" && b.Now.Sub(s.queue.since) < queueTime; {
	case told != nil && *told == reason:
		return nil
	case brief && (told == nil || *told == "" || reason == backup.QueueUnreachable): // Redis that is away says of no worker that it is alive
		return nil
	case brief:
		reason = ""
	}
	var found []backup.Finding
	if reason != "" {
		found = append(found, backup.Finding{Reason: reason, Object: "queue", Detail: detail})
	}
	fresh, err := b.RecordQueueFinding(ctx, found...)
	if err != nil {
		return err
	}
	s.queue.recorded = &reason
	logFindings(ctx, fresh)
	return s.countFindings(ctx, b)
}
