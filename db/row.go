package db

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
)

// recordColumns are the columns of [backup.Record] as [collectRecords] reads them, with null texts as empty ones and the
// retention under another name. Columns that no decision needs (last_seen_at, report_id, ...) are only in the statements that
// use them.
const recordColumns = `records.id, records.project_id, records.project_name, records.server_id, records.server_name,
	records.volume_id, records.volume_name, records.availability_zone AS zone, records.size_gib, records.encrypted, records.state, records.kind,
	records.forced_full, records.manual, records.retention AS retained_for, records.planned_at, records.created_at, records.last_point_at, records.admitted_at, records.held,
	records.requested_at, records.unanswered_request_at, records.deadline, records.next_try_at, records.changed_at, records.started_at, records.finished_at, records.available_at,
	records.ended_at, records.attempts, coalesce(records.backup_id, '') AS backup_id, records.backup_name,
	records.cinder_status, records.data_timestamp, records.cinder_timestamp, records.reason, records.reason_text, records.cloud_request_id AS request_id,
	records.removal_reason, records.removal_text, records.deletion_requested_at, records.deletion_refused_since,
	records.repair, records.repaired_at`

type recordRow struct {
	backup.Record
	RetainedFor pgtype.Interval
}

func toRecord(row pgx.CollectableRow) (backup.Record, error) {
	r, err := pgx.RowToStructByNameLax[recordRow](row)
	r.Retention = fromInterval(r.RetainedFor)
	return r.Record, err
}

func collectRecords(rows pgx.Rows, err error) ([]backup.Record, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, toRecord)
}

// collectIDs reads rows with one text column.
func collectIDs(rows pgx.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// toInterval converts a period for Postgres, which adds it like [backup.Period.After]: months first and clamped, then days,
// then the clock part.
func toInterval(p backup.Period) pgtype.Interval {
	return pgtype.Interval{
		Months: int32(p.Years*12 + p.Months), Days: int32(p.Days), //nolint:gosec // ParsePeriod bounds both far below 2^31
		Microseconds: p.Clock.Microseconds(), Valid: true,
	}
}

func fromInterval(i pgtype.Interval) backup.Period {
	return backup.Period{
		Years: int(i.Months / 12), Months: int(i.Months % 12), Days: int(i.Days),
		Clock: time.Duration(i.Microseconds) * time.Microsecond,
	}
}

// nullable returns nil, which Postgres stores as null, for an empty text or a zero time.
func nullable[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
