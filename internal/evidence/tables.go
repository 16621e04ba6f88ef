package evidence

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
	"staffeln/internal/invariants"
)

// Tables are the database: a connection, a pool or a transaction.
type Tables interface {
	Query(ctx context.Context, statement string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, statement string, args ...any) pgx.Row
}

// record is a row of the query.
type record struct {
	ID, ProjectID, VolumeID, BackupID        string
	State                                    backup.State
	Kind                                     backup.Kind
	Reason, RemovalReason                    backup.Reason
	Retention                                pgtype.Interval
	Paused                                   bool
	ChangedAt                                time.Time
	AdmittedAt, AskedAt, Deadline, NextTryAt *time.Time
	NextRemovalAt                            *time.Time
	SlowAt, UncappedAt, AvailableAt          *time.Time
}

// Records returns all records, and the database's clock. Slow and Uncapped are the earliest times at which a backup
// may leave its slots under the caps. Slow is ten minutes or half of its time limit after its request. Uncapped is
// its deadline or its record's end.
func Records(ctx context.Context, from Tables) (now time.Time, all []invariants.Record, err error) {
	if err := from.QueryRow(ctx, `SELECT staffeln_now()`).Scan(&now); err != nil {
		return now, nil, fmt.Errorf("read clock: %w", err)
	}
	all, err = recordsIn(ctx, from, "records")
	return now, all, err
}

// Forgotten returns the records in the table chaos.forgotten.
func Forgotten(ctx context.Context, from Tables) ([]invariants.Record, error) {
	return recordsIn(ctx, from, "chaos.forgotten")
}

func recordsIn(ctx context.Context, from Tables, table string) (all []invariants.Record, err error) {
	q := `
		SELECT r.id, r.project_id, r.volume_id, coalesce(r.backup_id, '') AS backup_id, r.state, r.kind, r.reason, r.removal_reason,
			CASE WHEN v.project_id = r.project_id AND (v.transferred_at IS NULL OR r.planned_at >= v.transferred_at) THEN coalesce(v.retention, r.retention)
				WHEN v.project_id = r.project_id THEN greatest(v.retention, r.retention) ELSE r.retention END AS retention, EXISTS (SELECT FROM pauses p WHERE p.project_id IN ('', r.project_id)) AS paused,
			r.changed_at, r.admitted_at, greatest(r.requested_at, r.unanswered_request_at, r.deletion_requested_at) AS asked_at, r.deadline,
			r.next_try_at, greatest(r.next_try_at, v.removal_next_try_at) AS next_removal_at,
			r.requested_at + least((r.deadline - r.requested_at) / 2, interval '10 minutes') AS slow_at, least(r.deadline, r.ended_at) AS uncapped_at, r.available_at
		FROM ` + table + ` r LEFT JOIN volumes v ON v.id = r.volume_id ORDER BY r.planned_at, r.requested_at, r.id`
	rows, err := from.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByName[record])
	if err != nil {
		return nil, fmt.Errorf("read records: %w", err)
	}
	for _, r := range records {
		next := r.NextTryAt
		if r.State.Removing() || r.State == backup.Failed {
			next = r.NextRemovalAt
		}
		all = append(all, invariants.Record{
			ID: r.ID, Project: r.ProjectID, Volume: r.VolumeID, Backup: r.BackupID, State: r.State, Kind: r.Kind,
			Reason: r.Reason, Removal: r.RemovalReason, Retention: periodOf(r.Retention), Paused: r.Paused,
			Changed: r.ChangedAt, Admitted: deref(r.AdmittedAt), Asked: deref(r.AskedAt), Deadline: deref(r.Deadline), NextTry: deref(next),
			Slow: deref(r.SlowAt), Uncapped: deref(r.UncappedAt), Seen: deref(r.AvailableAt),
		})
	}
	return all, nil
}

func periodOf(i pgtype.Interval) backup.Period {
	return backup.Period{Months: int(i.Months), Days: int(i.Days), Clock: time.Duration(i.Microseconds) * time.Microsecond}
}

func deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
