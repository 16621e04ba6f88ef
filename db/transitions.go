package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"staffeln/backup"
)

// change is one transition of one record: where it begins, where it leads and
// what it writes. The texts are constants of this package only.
type change struct {
	from []backup.State
	to   backup.State
	when string // a further condition on the record as it is in the table
	set  string // further columns, after `state = @to`
	args pgx.NamedArgs
}

func in(states ...backup.State) []backup.State { return states }

// move carries out one transition in one statement, for whoever holds the
// lease, and is the one place that logs and counts it. It returns the record
// as it is now, or [ErrStale] where the lease ran out or the record is no
// longer as it was when r was read.
func (c *Lease) move(ctx context.Context, r backup.Record, ch change) (backup.Record, error) {
	if !slices.Contains(ch.from, r.State) || ch.to != r.State && !r.State.CanBecome(ch.to) {
		return r, fmt.Errorf("move record %s to %s: it is %s", r.ID, ch.to, r.State)
	}
	// The lease's row is locked first, always in this order, so that nobody
	// takes the volume over while the record is written.
	q := `
		WITH lease AS (
			SELECT 1 FROM volumes WHERE id = @volume AND lease_token = @token AND lease_until > staffeln_now() FOR NO KEY UPDATE)
		UPDATE records SET state = @to,
			changed_at = CASE WHEN state = @to THEN changed_at ELSE staffeln_now() END` + ch.set + `
		WHERE id = @id AND volume_id = @volume AND state = @from` + ch.when + ` AND EXISTS (SELECT FROM lease)
		RETURNING ` + recordColumns
	args := pgx.NamedArgs{"volume": c.VolumeID, "token": c.token, "id": r.ID, "from": r.State, "to": ch.to}
	for name, value := range ch.args {
		if text, ok := value.(string); ok {
			value = storable(text)
		}
		args[name] = value
	}
	after, err := c.write(ctx, ch, q, args)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, fmt.Errorf("move record %s from %s to %s: %w", r.ID, r.State, ch.to, c.unmoved(ctx, r, ch))
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

// begins tells whether the change is one that a pause forbids.
func (ch change) begins() bool { return strings.HasSuffix(ch.when, unpaused) }

// write runs the statement of one change; one that begins something keeps a
// pause waiting until it is committed.
func (c *Lease) write(ctx context.Context, ch change, q string, args pgx.NamedArgs) (after backup.Record, err error) {
	one := func(from queries) error {
		rows, err := from.Query(ctx, q, args)
		if err == nil {
			after, err = pgx.CollectExactlyOneRow(rows, toRecord)
		}
		return err
	}
	if !ch.begins() {
		err = one(c.db.pool)
		return after, err
	}
	err = pgx.BeginFunc(ctx, c.db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, enter); err != nil {
			return err
		}
		return one(tx)
	})
	return after, err
}

// unmoved says why a statement changed nothing.
func (c *Lease) unmoved(ctx context.Context, r backup.Record, ch change) error {
	if ch.begins() {
		if all, err := pauses(ctx, c.db.pool); err == nil && all.Of(r.ProjectID) != nil {
			return ErrPaused
		}
	}
	return ErrStale
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
	args := pgx.NamedArgs{"reason": w.Reason, "text": backup.WithoutAddresses(w.Text), "request": w.RequestID}
	maps.Copy(args, more)
	return args
}

// Ask says, before it is done, that Cinder is asked for the backup: planned or
// creating becomes creating. Until an answer is recorded the request may have
// had its effect. The deadline counts from the first request.
func (c *Lease) Ask(ctx context.Context, r backup.Record, kind backup.Kind, name string, timeLimit time.Duration) (backup.Record, error) {
	return c.move(ctx, r, change{
		in(backup.Planned, backup.Creating), backup.Creating, unpaused, `, kind = @kind, attempts = attempts + 1, asked_at = staffeln_now(), next_try_at = NULL,
		requested_at = coalesce(requested_at, staffeln_now()), last_requested_at = staffeln_now(), deadline = coalesce(deadline, staffeln_now() + @limit),
		backup_name = CASE WHEN backup_name = '' THEN @name ELSE backup_name END, reason = '', reason_text = '', request_id = ''`,
		pgx.NamedArgs{"kind": kind, "name": name, "limit": timeLimit},
	})
}

// asked holds for a request whose answer the record waits for.
const asked = ` AND asked_at IS NOT NULL`

// Accept records Cinder's ID of the backup: from its answer, or adopted. A
// record that has one keeps it.
func (c *Lease) Accept(ctx context.Context, r backup.Record, backupID string) (backup.Record, error) {
	return c.move(ctx, r, change{in(backup.Creating), backup.Creating, asked, `, backup_id = @backup, asked_at = NULL, next_try_at = NULL, cinder_status = 'creating',
		reason = '', reason_text = '', request_id = ''`, pgx.NamedArgs{"backup": backupID}})
}

// NotAsked says that the request certainly had no effect and may be repeated
// from the given time on.
func (c *Lease) NotAsked(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{in(backup.Creating), backup.Creating, asked, `, asked_at = NULL, next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}

// Unanswered says that the request may have had its effect: the backup is
// looked for again from the given time on.
func (c *Lease) Unanswered(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{in(backup.Creating), backup.Creating, asked, `, next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}

// waits are the states in which a record waits for its next try.
var waits = in(backup.Planned, backup.Creating, backup.Overdue, backup.Deleting, backup.Undeletable, backup.Failed)

// Later leaves a record where it is and tries it again from the given time on.
func (c *Lease) Later(ctx context.Context, r backup.Record, status backup.Status, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{waits, r.State, ``, `, cinder_status = @status, next_try_at = @again`, pgx.NamedArgs{"status": status, "again": again}})
}

// Finish records the restore point that b became; what it is (full or
// incremental) is Cinder's word now, not our wish.
func (c *Lease) Finish(ctx context.Context, r backup.Record, b backup.Backup) (backup.Record, error) {
	return c.move(ctx, r, change{
		in(backup.Creating, backup.Overdue), backup.Available, held, `, kind = @kind, size_gib = @size, data_timestamp = ` + boundedTime + `, cinder_timestamp = @data, cinder_status = 'available',
		available_at = staffeln_now(), ended_at = staffeln_now(), next_try_at = NULL, reason = '', reason_text = '', request_id = ''`,
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

// held holds for a record whose backup Cinder has named.
const held = ` AND backup_id IS NOT NULL`

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
	return c.move(ctx, r, change{in(backup.Planned, backup.Creating, backup.Overdue), backup.Failed, ``, `, ended_at = staffeln_now(), asked_at = NULL, next_try_at = NULL` + setWhy, why.args(nil)})
}

// FailGone ends a record whose backup Cinder no longer has: nothing is left over.
func (c *Lease) FailGone(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{in(backup.Creating, backup.Overdue), backup.Failed, held, `, ended_at = staffeln_now(), backup_id = NULL, next_try_at = NULL` + setWhy, why.args(nil)})
}

// Withdraw ends a planned record that is no longer wanted; not a failure.
func (c *Lease) Withdraw(ctx context.Context, r backup.Record, why Why) (backup.Record, error) {
	return c.move(ctx, r, change{in(backup.Planned), backup.Withdrawn, ``, `, ended_at = staffeln_now(), next_try_at = NULL` + setWhy, why.args(nil)})
}

// PassDeadline turns creating into overdue: only a backup that Cinder has can be.
func (c *Lease) PassDeadline(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{in(backup.Creating), backup.Overdue, held, `, next_try_at = @again` + setWhy, why.args(pgx.NamedArgs{"again": again})})
}
