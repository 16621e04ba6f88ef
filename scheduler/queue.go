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
	reason backup.Reason // empty: none
	since  time.Time
	told   bool // that it is so, or, where there is none, that there is none
}

// tellQueue keeps the finding that no worker takes tasks, or that Redis does not
// take them, and ends it where that is over. failed is what came of dispatching.
func (s *Scheduler) tellQueue(ctx context.Context, b *db.Beat, failed error) error {
	reason, detail := backup.Reason(""), ""
	if workers, err := s.Queue.Workers(ctx); err != nil || failed != nil {
		reason, detail = backup.QueueAway, "start Redis, or check STAFFELN_REDIS_URL; no task is lost"
	} else if workers == 0 {
		reason, detail = backup.NoWorker, "start one: staffeln worker"
	}
	if was := s.queue; was.since.IsZero() || was.reason != reason {
		s.queue = queueTrouble{reason: reason, since: b.Now}
	}
	if s.queue.told || reason != "" && b.Now.Sub(s.queue.since) < queueTime {
		return nil
	}
	var found []backup.Finding
	if reason != "" {
		found = append(found, backup.Finding{Reason: reason, Object: "queue", Detail: detail})
	}
	fresh, err := b.FoundQueue(ctx, found...)
	if err != nil {
		return err
	}
	s.queue.told = true
	tellFindings(ctx, fresh)
	return s.countFindings(ctx, b)
}
