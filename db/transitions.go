package db

import (
	"context"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Why is what a record says about its state: the code, the full text, and
// the request that it tells of.
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

// Ask says, before it is done, that Cinder is asked for the backup: planned or
// creating becomes creating. Until an answer is recorded the request may have
// had its effect. The deadline counts from the first request.
func (c *Lease) Ask(ctx context.Context, r backup.Record, kind backup.Kind, name string, timeLimit time.Duration) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Planned, backup.Creating), unpaused: true},
		backup.Creating, `kind = @kind, attempts = attempts + 1, unanswered_request_at = staffeln_now(), next_try_at = NULL,
		requested_at = coalesce(requested_at, staffeln_now()), last_requested_at = staffeln_now(), deadline = coalesce(deadline, staffeln_now() + @limit),
		backup_name = CASE WHEN backup_name = '' THEN @name ELSE backup_name END, reason = '', reason_text = '', cloud_request_id = ''`,
		pgx.NamedArgs{"kind": kind, "name": name, "limit": timeLimit},
	})
}

// Accept records Cinder's ID of the backup: from its answer, or adopted. A
// record that has one keeps it.
func (c *Lease) Accept(ctx context.Context, r backup.Record, backupID string) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating), awaitsAnswer: true}, backup.Creating, `backup_id = @backup, unanswered_request_at = NULL, next_try_at = NULL, cinder_status = 'creating',
		reason = '', reason_text = '', cloud_request_id = ''`, pgx.NamedArgs{"backup": backupID}})
}

// NotAsked says that the request certainly had no effect and may be repeated
// from the given time on.
func (c *Lease) NotAsked(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating), awaitsAnswer: true}, backup.Creating, `unanswered_request_at = NULL, next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}

// Unanswered says that the request may have had its effect: the backup is
// looked for again from the given time on.
func (c *Lease) Unanswered(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating), awaitsAnswer: true}, backup.Creating, `next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}

// waits are the states in which a record waits for its next try.
var waits = in(backup.Planned, backup.Creating, backup.Overdue, backup.Deleting, backup.Undeletable, backup.Failed)

// Later leaves a record where it is and tries it again from the given time on.
func (c *Lease) Later(ctx context.Context, r backup.Record, status backup.Status, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: waits}, r.State, `cinder_status = @status, next_try_at = @again`, pgx.NamedArgs{"status": status, "again": again}})
}

// Finish records the restore point that b became; what it is (full or
// incremental) is Cinder's word now, not our wish.
func (c *Lease) Finish(ctx context.Context, r backup.Record, b backup.Backup) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Creating, backup.Overdue), hasBackup: true},
		backup.Available, `kind = @kind, size_gib = @size, data_timestamp = ` + boundedTime + `, cinder_timestamp = @data, cinder_status = 'available',
		available_at = staffeln_now(), ended_at = staffeln_now(), next_try_at = NULL, reason = '', reason_text = '', cloud_request_id = ''`,
		pgx.NamedArgs{"kind": kindOf(b), "size": b.SizeGiB, "data": dataTime(b)},
	})
}

// boundedTime is the time of a backup's data: Cinder's, unless that lies outside
// of the time in which we asked for the backup and saw it. A clock that runs
// ahead would hide that a volume is late, one that is behind would have fresh
// data removed. Of several requests the newest may have made it, and none is
// later.
const boundedTime = `CASE WHEN @data::timestamptz IS NULL THEN NULL WHEN @data::timestamptz BETWEEN requested_at - interval '15 minutes' AND staffeln_now() + interval '15 minutes' THEN @data::timestamptz
	ELSE coalesce(last_requested_at, requested_at, staffeln_now()) END`

func kindOf(b backup.Backup) backup.Kind {
	if b.Incremental {
		return backup.Incremental
	}
	return backup.Full
}

// dataTime dates the data of b. Without a date it would be as old as can be,
// and removed at once.
func dataTime(b backup.Backup) *time.Time {
	if b.DataTimestamp.IsZero() {
		return maybe(b.CreatedAt)
	}
	return &b.DataTimestamp
}

// Fail ends a record without a restore point. What Cinder holds of it is a
// leftover from now on.
func (c *Lease) Fail(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Planned, backup.Creating, backup.Overdue)}, backup.Failed, `ended_at = staffeln_now(), unanswered_request_at = NULL, next_try_at = NULL` + setWhy, why.args(nil)})
}

// FailGone ends a record whose backup Cinder no longer has: nothing is left over.
func (c *Lease) FailGone(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating, backup.Overdue), hasBackup: true}, backup.Failed, `ended_at = staffeln_now(), backup_id = NULL, next_try_at = NULL` + setWhy, why.args(nil)})
}

// Withdraw ends a planned record that is no longer wanted; not a failure.
func (c *Lease) Withdraw(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Planned)}, backup.Withdrawn, `ended_at = staffeln_now(), next_try_at = NULL` + setWhy, why.args(nil)})
}

// PassDeadline turns creating into overdue: only a backup that Cinder has can be.
func (c *Lease) PassDeadline(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Creating), hasBackup: true}, backup.Overdue, `next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}
