package alerting

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// heartbeatPeriod is how often a dead man's switch gets its request.
const heartbeatPeriod = time.Minute

// ping requests the heartbeat, unless something prevents backups.
func (a *Alerting) ping(ctx context.Context, b *db.Run) error {
	if why, err := a.prevented(ctx, b); err != nil || why != "" {
		if err == nil {
			err = fmt.Errorf("withheld on purpose: %s", why)
		}
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.Receivers.HeartbeatURL, http.NoBody)
	if err != nil {
		return err
	}
	return a.request("heartbeat", "STAFFELN_HEARTBEAT_URL", req)
}

// prevented returns why no backups are made, or "".
func (a *Alerting) prevented(ctx context.Context, b *db.Run) (string, error) {
	for _, run := range []struct {
		name   string
		last   *time.Time
		period backup.Duration
	}{
		{"plan", b.PlannedAt, a.Settings.BackupServicePeriod},
		{"dispatch", b.DispatchedAt, a.Settings.PollPeriod},
	} {
		last := b.Since // of the term: a new leader has time to begin
		if run.last != nil && run.last.After(last) {
			last = *run.last
		}
		if b.Now.Sub(last) > backup.RunLateAfter(run.period) {
			return "the " + run.name + " run is late", nil
		}
	}
	counts, err := b.FindingCounts(ctx)
	if err != nil {
		return "", err
	}
	for _, reason := range []backup.Reason{backup.NoWorker, backup.QueueUnreachable} {
		if counts[string(reason)] > 0 {
			return "finding " + string(reason), nil
		}
	}
	return "", nil
}
