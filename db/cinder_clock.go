package db

import (
	"context"
	"fmt"
	"time"

	"staffeln/backup"
)

// CinderClock stores or deletes the finding that Cinder's clock is wrong, given the record of a backup that just became
// available. There is at most one such row, with the detail of the newest backup that has a wrong timestamp. A backup with a
// correct timestamp deletes it only after a day without wrong ones, because only one of several Cinder hosts may have a wrong
// clock.
func (c *Lease) CinderClock(ctx context.Context, r backup.Record) error {
	const keep = `
		INSERT INTO findings (reason, object, project_id, volume_id, detail, since, seen_at)
		VALUES ('cinder_clock', 'cinder', '', '', $1, staffeln_now(), staffeln_now())
		ON CONFLICT (reason, object, project_id) DO UPDATE SET detail = excluded.detail, seen_at = excluded.seen_at`
	const end = `DELETE FROM findings WHERE reason = 'cinder_clock' AND seen_at < staffeln_now() - interval '1 day'`
	var err error
	switch {
	case r.CinderTimestamp == nil || r.RequestedAt == nil:
	case !r.ClockWrong():
		_, err = c.db.pool.Exec(ctx, end)
	default:
		_, err = c.db.pool.Exec(ctx, keep, fmt.Sprintf("Cinder dates backup %s of volume %s at %s; it was asked for at %s",
			r.BackupID, r.VolumeID, r.CinderTimestamp.UTC().Format(time.RFC3339), r.RequestedAt.UTC().Format(time.RFC3339)))
	}
	if err != nil {
		return fmt.Errorf("keep finding about Cinder's clock, of backup %s: %w", r.BackupID, err)
	}
	return nil
}
