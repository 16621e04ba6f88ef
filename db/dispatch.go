package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Work is a record that a handler has to process, or (with an empty State) a volume with a removal that is due.
type Work struct {
	VolumeID, RecordID, BackupID string
	State                        backup.State
	Requested                    bool // whether a request was ever sent
	Deadline, NextTryAt          *time.Time
	DeletionRequestedAt          *time.Time // newest deletion request
	// Abandoned reports that the volume's lease ran out without a release: its holder died or hangs.
	Abandoned bool
	// StillSince is the time of the last change of the record, or the time at which it fell due if that is later.
	StillSince time.Time
	// Leased reports that a handler holds the volume's lease.
	Leased bool
	// Paused reports that nothing new may start in the project.
	Paused bool
}

// AtWork returns the unfinished records and leftovers, except those that wait for admission, and the removals that are due. It
// is the whole input of a dispatch run; the queue is not read.
func (b *Run) AtWork(ctx context.Context) ([]Work, error) {
	q := `
		SELECT r.volume_id, r.id AS record_id, coalesce(r.backup_id, '') AS backup_id, r.state, r.requested_at IS NOT NULL AS requested,
			r.deadline, CASE WHEN ` + needsRemoval + ` THEN greatest(r.next_try_at, v.removal_next_try_at) ELSE r.next_try_at END AS next_try_at, r.deletion_requested_at,
			greatest(r.changed_at, r.admitted_at, r.unanswered_request_at, r.next_try_at, r.deletion_requested_at, CASE WHEN ` + needsRemoval + ` THEN v.removal_next_try_at END) AS still_since,
			coalesce(v.lease_until <= @now, false) AS abandoned, coalesce(v.lease_until > @now, false) AS leased,
			EXISTS (SELECT FROM pauses p WHERE p.project_id IN ('', r.project_id)) AS paused
		FROM records r JOIN volumes v ON v.id = r.volume_id
		WHERE ` + hasWork + ` AND NOT (` + isWaiting + `)
		UNION ALL
		SELECT v.id, '', '', '', false, NULL, v.removal_next_try_at, NULL, greatest(v.removal_due_at, v.removal_next_try_at), coalesce(v.lease_until <= @now, false), coalesce(v.lease_until > @now, false),
			EXISTS (SELECT FROM pauses p WHERE p.project_id IN ('', v.project_id))
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

// Waiting reports whether any planned record waits for admission.
func (b *Run) Waiting(ctx context.Context) (waits bool, err error) {
	const q = `SELECT EXISTS (SELECT FROM records WHERE ` + isWaiting + `)`
	if err := b.db.pool.QueryRow(ctx, q).Scan(&waits); err != nil {
		return false, fmt.Errorf("read whether records wait: %w", err)
	}
	return waits, nil
}

// Unfinished counts the records between plan and end by state, and the planned ones by what they wait for: admission, or, if
// they were admitted, a worker.
func (b *Run) Unfinished(ctx context.Context) (states map[backup.State]int, waits map[backup.WaitCode]int, err error) {
	q := `SELECT state, ` + isWaiting + `, held, count(*)::int FROM records WHERE ` + isUnfinished + ` GROUP BY 1, 2, 3`
	states, waits = map[backup.State]int{}, map[backup.WaitCode]int{}
	for _, s := range backup.States {
		if s.Unfinished() {
			states[s] = 0
		}
	}
	rows, err := b.db.pool.Query(ctx, q)
	if err != nil {
		return nil, nil, fmt.Errorf("count records: %w", err)
	}
	var state backup.State
	var waiting bool
	var held backup.Held
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &waiting, &held, &n}, func() error {
		states[state] += n
		switch {
		case waiting:
			waits[held.Wait()] += n
		case state == backup.Planned:
			waits[backup.WaitWorker] += n
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("count records: %w", err)
	}
	return states, waits, nil
}
