package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"staffeln/backup"
)

// change is one transition of one record: where it leads and what it writes.
type change struct {
	to   backup.State
	set  string // further columns, after `state = @to`; constants of this file only
	args pgx.NamedArgs
}

// move carries out one transition in one statement, for whoever holds the
// lease, and is the one place that logs and counts it. It returns the record
// as it is now, or [ErrStale] where the lease ran out or the record is no
// longer in the state in which r was read.
func (c *Claim) move(ctx context.Context, r backup.Record, ch change) (backup.Record, error) {
	if ch.to != r.State && !r.State.CanBecome(ch.to) {
		return r, fmt.Errorf("move record %s: %s can't become %s", r.ID, r.State, ch.to)
	}
	// The lease's row is locked first, always in this order, so that nobody
	// takes the volume over while the record is written.
	q := `
		WITH lease AS (
			SELECT 1 FROM volumes WHERE id = @volume AND lease_token = @token AND lease_until > staffeln_now() FOR NO KEY UPDATE)
		UPDATE records SET state = @to,
			changed_at = CASE WHEN state = @to THEN changed_at ELSE staffeln_now() END` + ch.set + `
		WHERE id = @id AND volume_id = @volume AND state = @from AND EXISTS (SELECT FROM lease)
		RETURNING ` + recordColumns
	args := pgx.NamedArgs{"volume": c.VolumeID, "token": c.token, "id": r.ID, "from": r.State, "to": ch.to}
	maps.Copy(args, ch.args)
	rows, err := c.db.pool.Query(ctx, q, args)
	if err != nil {
		return r, fmt.Errorf("move record %s to %s: %w", r.ID, ch.to, err)
	}
	after, err := pgx.CollectExactlyOneRow(rows, toRecord)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, fmt.Errorf("move record %s from %s to %s: %w", r.ID, r.State, ch.to, ErrStale)
	}
	if err != nil {
		return r, fmt.Errorf("move record %s to %s: %w", r.ID, ch.to, err)
	}
	if ch.to != r.State {
		reason := after.Reason
		if ch.to == backup.Deleting || ch.to == backup.Undeletable || r.State == backup.Deleting {
			reason = after.RemovalReason
		}
		c.db.count(r.State, ch.to, reason, 1)
		zerolog.Ctx(ctx).Info().Str("record", r.ID).Str("volume", r.VolumeID).Str("project", r.ProjectID).
			Str("backup", after.BackupID).Str("from", string(r.State)).Str("to", string(ch.to)).
			Str("kind", string(after.Kind)).Str("reason", string(reason)).Msg("record changed")
	}
	return after, nil
}

// A Why is what a record says about its state: the code, the full text, and
// the request that it tells of.
type Why struct {
	Reason    backup.Reason
	Text      string
	RequestID string
}

const setWhy = `, reason = @reason, reason_text = @text, request_id = @request`

func (w Why) args(more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{"reason": w.Reason, "text": w.Text, "request": w.RequestID}
	maps.Copy(args, more)
	return args
}

// Ask says, before it is done, that Cinder is asked for the backup: planned or
// creating becomes creating. Until an answer is recorded the request may have
// had its effect. The deadline counts from the first request.
func (c *Claim) Ask(ctx context.Context, r backup.Record, kind backup.Kind, name string, timeLimit time.Duration) (backup.Record, error) {
	return c.move(ctx, r, change{backup.Creating, `, kind = @kind, attempts = attempts + 1, asked_at = staffeln_now(), next_try_at = NULL,
		requested_at = coalesce(requested_at, staffeln_now()), deadline = coalesce(deadline, staffeln_now() + @limit),
		backup_name = CASE WHEN backup_name = '' THEN @name ELSE backup_name END, reason = '', reason_text = '', request_id = ''`,
		pgx.NamedArgs{"kind": kind, "name": name, "limit": timeLimit}})
}

// Accept records Cinder's ID of the backup: from its answer, or adopted.
func (c *Claim) Accept(ctx context.Context, r backup.Record, backupID string) (backup.Record, error) {
	return c.move(ctx, r, change{backup.Creating, `, backup_id = @backup, asked_at = NULL, next_try_at = NULL, cinder_status = 'creating',
		reason = '', reason_text = '', request_id = ''`, pgx.NamedArgs{"backup": backupID}})
}

// NotAsked says that the request certainly had no effect and may be repeated
// from the given time on.
func (c *Claim) NotAsked(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{backup.Creating, `, asked_at = NULL, next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}

// Unanswered says that the request may have had its effect: the backup is
// looked for again from the given time on.
func (c *Claim) Unanswered(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{backup.Creating, `, next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}

// Later leaves a record where it is and tries it again from the given time on.
func (c *Claim) Later(ctx context.Context, r backup.Record, status backup.Status, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{r.State, `, cinder_status = @status, next_try_at = @again`, pgx.NamedArgs{"status": status, "again": again}})
}

// Finish records the restore point that b became; what it is (full or
// incremental) is Cinder's word now, not our wish.
func (c *Claim) Finish(ctx context.Context, r backup.Record, b backup.Backup) (backup.Record, error) {
	kind := backup.Full
	if b.Incremental {
		kind = backup.Incremental
	}
	return c.move(ctx, r, change{backup.Available, `, kind = @kind, size_gib = @size, data_timestamp = @data, cinder_status = 'available',
		available_at = staffeln_now(), ended_at = staffeln_now(), next_try_at = NULL, reason = '', reason_text = '', request_id = ''`,
		pgx.NamedArgs{"kind": kind, "size": b.SizeGiB, "data": b.DataTimestamp}})
}

// Fail ends a record without a restore point. What Cinder holds of it is a
// leftover from now on.
func (c *Claim) Fail(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{backup.Failed, `, ended_at = staffeln_now(), asked_at = NULL, next_try_at = NULL` + setWhy, why.args(nil)})
}

// FailGone ends a record whose backup Cinder no longer has: nothing is left over.
func (c *Claim) FailGone(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{backup.Failed, `, ended_at = staffeln_now(), backup_id = NULL, next_try_at = NULL` + setWhy, why.args(nil)})
}

// Withdraw ends a planned record that is no longer wanted; not a failure.
func (c *Claim) Withdraw(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{backup.Withdrawn, `, ended_at = staffeln_now(), next_try_at = NULL` + setWhy, why.args(nil)})
}

// PassDeadline turns creating into overdue.
func (c *Claim) PassDeadline(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{backup.Overdue, `, next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}
