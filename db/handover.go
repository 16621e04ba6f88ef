package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Work is a record that somebody has to look at, or (with State empty) a
// volume with a removal that is due.
type Work struct {
	VolumeID, RecordID, BackupID string
	State                        backup.State
	Requested                    bool // a request was sent at some time
	Deadline, NextTryAt          *time.Time
	DeletionAskedAt              *time.Time // newest request to remove it
	// Abandoned says that the volume's lease ran out without being given back:
	// whoever held it died or hangs.
	Abandoned bool
	// Leased says that a handler is at work on the volume.
	Leased bool
}

// AtWork returns all records between plan and end, and the removals that are
// due: the whole input of a hand-over, from the table alone.
func (b *Beat) AtWork(ctx context.Context) ([]Work, error) {
	const q = `
		SELECT r.volume_id, r.id AS record_id, coalesce(r.backup_id, '') AS backup_id, r.state, r.requested_at IS NOT NULL AS requested,
			r.deadline, r.next_try_at, r.deletion_asked_at, coalesce(v.lease_until <= @now, false) AS abandoned, coalesce(v.lease_until > @now, false) AS leased
		FROM records r JOIN volumes v ON v.id = r.volume_id
		WHERE (r.state IN ('planned', 'creating', 'overdue', 'deleting', 'undeletable') OR (r.state = 'failed' AND r.backup_id IS NOT NULL))
			AND (r.state <> 'planned' OR r.admitted_at IS NOT NULL)
		UNION ALL
		SELECT v.id, '', '', '', false, NULL, NULL, NULL, coalesce(v.lease_until <= @now, false), coalesce(v.lease_until > @now, false)
		FROM volumes v WHERE v.removal_due_at IS NOT NULL
		ORDER BY 1, 2`
	rows, err := b.db.pool.Query(ctx, q, pgx.NamedArgs{"now": b.Now})
	if err != nil {
		return nil, fmt.Errorf("read work: %w", err)
	}
	work, err := pgx.CollectRows(rows, pgx.RowToStructByName[Work])
	if err != nil {
		return nil, fmt.Errorf("read work: %w", err)
	}
	return work, nil
}

// Standing counts the records between plan and end by state: all that wait,
// run, hang, or could not be removed. States without one count 0.
func (b *Beat) Standing(ctx context.Context) (map[backup.State]int, error) {
	const q = `SELECT state, count(*)::int FROM records WHERE state IN ('planned', 'creating', 'overdue', 'deleting', 'undeletable') GROUP BY state`
	counts := map[backup.State]int{backup.Planned: 0, backup.Creating: 0, backup.Overdue: 0, backup.Deleting: 0, backup.Undeletable: 0}
	rows, err := b.db.pool.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("count records: %w", err)
	}
	var state backup.State
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error { counts[state] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count records: %w", err)
	}
	return counts, nil
}
