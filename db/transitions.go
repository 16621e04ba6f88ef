package db

import (
	"context"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Why explains the state of a record: the reason code, the full text, and the ID of the OpenStack request.
type Why struct {
	Reason    backup.Reason
	Text      string
	RequestID string
}

const setWhy = `, reason = @reason, reason_text = @text, cloud_request_id = @request`

func (w Why) args(more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{"reason": w.Reason, "text": backup.WithoutAddresses(w.Text), "request": w.RequestID}
	maps.Copy(args, more)
	return args
}

// StartCreation records, before the request is sent, that Cinder is asked for the backup: a planned or creating record becomes
// creating. The kind, and r's ForcedFull, are what the worker chose, which may not be what the plan chose. Until a response is
// recorded, it is unknown whether the request had an effect. The deadline counts from the first request.
func (c *Lease) StartCreation(ctx context.Context, r backup.Record, kind backup.Kind, name string, timeLimit time.Duration) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Planned, backup.Creating), unpaused: true},
		backup.Creating, `kind = @kind, forced_full = @forced, attempts = attempts + 1, unanswered_request_at = staffeln_now(), next_try_at = NULL,
		requested_at = coalesce(requested_at, staffeln_now()), last_requested_at = staffeln_now(), deadline = coalesce(deadline, staffeln_now() + @limit),
		backup_name = CASE WHEN backup_name = '' THEN @name ELSE backup_name END, reason = '', reason_text = '', cloud_request_id = ''`,
		pgx.NamedArgs{"kind": kind, "forced": r.ForcedFull, "name": name, "limit": timeLimit},
	})
}

// Accept records the backup's ID, either from Cinder's response or of an adopted backup. It requires a record with a request
// without a response.
func (c *Lease) Accept(ctx context.Context, r backup.Record, backupID string) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating), awaitsResponse: true}, backup.Creating, `backup_id = @backup, unanswered_request_at = NULL, next_try_at = NULL, cinder_status = 'creating',
		reason = '', reason_text = '', cloud_request_id = ''`, pgx.NamedArgs{"backup": backupID}})
}

// NotAccepted records that the request certainly had no effect. It may be repeated from the given time on.
func (c *Lease) NotAccepted(ctx context.Context, r backup.Record, why Why, retryAt time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating), awaitsResponse: true}, backup.Creating, `unanswered_request_at = NULL, next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": retryAt})})
}

// Unanswered records that the request may have had an effect. The backup is searched for again from the given time on.
func (c *Lease) Unanswered(ctx context.Context, r backup.Record, why Why, retryAt time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating), awaitsResponse: true}, backup.Creating, `next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": retryAt})})
}

// retryStates are the states in which a record waits for its next try.
var retryStates = in(backup.Planned, backup.Creating, backup.Overdue, backup.Deleting, backup.Undeletable, backup.Failed)

// Later keeps the record's state and schedules its next try for the given time.
func (c *Lease) Later(ctx context.Context, r backup.Record, status backup.Status, retryAt time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: retryStates}, r.State, `cinder_status = @status, next_try_at = @again`, pgx.NamedArgs{"status": status, "again": retryAt}})
}

// Finish records the restore point that b became. Its kind (full or incremental) is the one that Cinder reports, not the one
// that was requested. usual is how long a backup of the volume usually takes now ([backup.UsualDuration]).
func (c *Lease) Finish(ctx context.Context, r backup.Record, b backup.Backup, usual time.Duration) (backup.Record, error) {
	started, finished := r.Course(c.Now, b)
	return c.move(ctx, r, change{
		guard{from: in(backup.Creating, backup.Overdue), hasBackup: true},
		backup.Available, `kind = @kind, size_gib = @size, data_timestamp = ` + boundedTime + `, cinder_timestamp = @data, cinder_status = 'available',
		started_at = @started, finished_at = @finished, available_at = staffeln_now(), ended_at = staffeln_now(), next_try_at = NULL,
		reason = '', reason_text = '', cloud_request_id = ''`,
		pgx.NamedArgs{"kind": kindOf(b), "size": b.SizeGiB, "data": dataTime(b), "started": started, "finished": finished, "usual": usual},
	}, `usual_duration = @usual::interval`)
}

// boundedTime is the time of a backup's data. It is Cinder's time unless that is not between our request and now, with 15
// minutes of tolerance. A clock that is ahead would hide that a volume is late; one that is behind would get
// fresh data removed. In that case the time of the newest request is used: of several requests, it may be the one that created
// the backup, and none is later.
const boundedTime = `CASE WHEN @data::timestamptz IS NULL THEN NULL WHEN @data::timestamptz BETWEEN requested_at - interval '15 minutes' AND staffeln_now() + interval '15 minutes' THEN @data::timestamptz
	ELSE coalesce(last_requested_at, requested_at, staffeln_now()) END`

func kindOf(b backup.Backup) backup.Kind {
	if b.Incremental {
		return backup.Incremental
	}
	return backup.Full
}

// dataTime returns the time of b's data. Without a time, the backup would count as infinitely old and would be removed at
// once.
func dataTime(b backup.Backup) *time.Time {
	if b.DataTimestamp.IsZero() {
		return nullable(b.CreatedAt)
	}
	return &b.DataTimestamp
}

// Fail ends a record without a restore point. A backup that Cinder still holds of it becomes a leftover.
func (c *Lease) Fail(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Planned, backup.Creating, backup.Overdue)}, backup.Failed, `ended_at = staffeln_now(), unanswered_request_at = NULL, next_try_at = NULL` + setWhy, why.args(nil)})
}

// FailSeen is like Fail for a backup that Cinder reports as failed: its times show how long that took.
func (c *Lease) FailSeen(ctx context.Context, r backup.Record, b backup.Backup, why Why) (backup.Record, error) {
	started, finished := r.Course(c.Now, b)
	return c.move(ctx, r, change{
		guard{from: in(backup.Creating, backup.Overdue), hasBackup: true},
		backup.Failed, `started_at = @started, finished_at = @finished, ended_at = staffeln_now(), next_try_at = NULL` + setWhy,
		why.args(pgx.NamedArgs{"started": started, "finished": finished}),
	})
}

// FailGone ends a record whose backup Cinder no longer has, so there is no leftover.
func (c *Lease) FailGone(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating, backup.Overdue), hasBackup: true}, backup.Failed, `ended_at = staffeln_now(), backup_id = NULL, next_try_at = NULL` + setWhy, why.args(nil)})
}

// Withdraw ends a planned record that is no longer wanted. It is not a failure.
func (c *Lease) Withdraw(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Planned)}, backup.Withdrawn, `ended_at = staffeln_now(), next_try_at = NULL` + setWhy, why.args(nil)})
}

// PassDeadline turns creating into overdue. This requires a backup in Cinder.
func (c *Lease) PassDeadline(ctx context.Context, r backup.Record, why Why, retryAt time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating), hasBackup: true}, backup.Overdue, `next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": retryAt})})
}
