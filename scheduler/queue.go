package scheduler

import (
	"context"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// queueTime is how long no worker takes tasks, or Redis is unreachable, before that
// becomes a finding: a restart takes less.
const queueTime = time.Minute

// queueTrouble is the current problem of the queue and its start.
type queueTrouble struct {
	reason   backup.Reason // empty: none
	since    time.Time
	recorded *backup.Reason // the open finding, empty: none; nil: unknown, as at the beginning of a term
}

// recordQueue records the finding that no worker takes tasks, or that Redis does not
// take them, and ends it when that is over. failed is the error of the dispatch.
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
	recorded := s.queue.recorded
	switch brief := reason != "" && b.Now.Sub(s.queue.since) < queueTime; {
	case recorded != nil && *recorded == reason:
		return nil
	case brief && (recorded == nil || *recorded == "" || reason == backup.QueueUnreachable): // without Redis it is unknown whether a worker is alive
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
