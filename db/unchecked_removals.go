package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// UncheckedRemovals returns a finding if others removed restore points within the last week and the delete check recorded no request,
// about any backup, between the time the restore points were last seen and the time they were found missing. Either an
// administrator removed them, for whom Cinder does not call the delete check, or Cinder's policy no longer calls it, and every
// tenant can delete backups.
func (b *Run) UncheckedRemovals(ctx context.Context) ([]backup.Finding, error) {
	q := `
		WITH unasked AS (
			SELECT r.backup_id, r.backup_name, r.volume_id, r.volume_name, coalesce(r.last_seen_at, r.available_at) AS seen_at, r.changed_at FROM records r
			WHERE ` + isLost + ` AND r.reason = 'removed_by_others' AND r.changed_at > $1::timestamptz - interval '7 days'
				AND NOT EXISTS (SELECT FROM delete_checks a WHERE a.first_at <= r.changed_at AND a.last_at >= coalesce(r.last_seen_at, r.available_at)))
		SELECT 'check_not_asked' AS reason, '' AS project_id, 'delete_check' AS object, '' AS object_name, '' AS volume_id,
			format('%s, the newest backup %s of volume %s, which went between %s and %s', count(*), (array_agg(` + sqlNamed(`backup_name`, `backup_id`) + ` ORDER BY changed_at DESC, backup_id))[1],
				(array_agg(` + sqlNamed(`volume_name`, `volume_id`) + ` ORDER BY changed_at DESC, backup_id))[1], to_char((array_agg(seen_at ORDER BY changed_at DESC, backup_id))[1] AT TIME ZONE 'UTC', $2),
				to_char(max(changed_at) AT TIME ZONE 'UTC', $2)) AS detail
		FROM unasked HAVING count(*) > 0`
	rows, err := b.db.pool.Query(ctx, q, b.Now, `YYYY-MM-DD"T"HH24:MI:SS"Z"`)
	if err != nil {
		return nil, fmt.Errorf("read removals that nobody asked about: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[backup.Finding])
	if err != nil {
		return nil, fmt.Errorf("read removals that nobody asked about: %w", err)
	}
	return found, nil
}
