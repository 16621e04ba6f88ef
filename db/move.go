package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/internal/telemetry"
)

// change is one transition of one record: its preconditions, the new state and the columns that it writes.
type change struct {
	guard guard
	to    backup.State
	set   string // further columns; only constants of this package, never user input
	args  pgx.NamedArgs
}

// A guard is the precondition of a change, checked against the record in the table in addition to the volume's lease.
type guard struct {
	from           []backup.State // allowed states
	hasBackup      bool           // Cinder returned the backup's ID
	awaitsResponse bool           // a creation request was sent and its outcome is unknown
	wasMade        bool           // it was a restore point at some time
	unpaused       bool           // no pause applies to its project
}

func in(states ...backup.State) []backup.State { return states }

// condition returns the guard in SQL for a record that was read in one of the allowed states.
func (g guard) condition() string {
	all := []string{`state = @from`}
	for _, one := range []struct {
		required bool
		holds    string
	}{
		{g.hasBackup, `backup_id IS NOT NULL`},
		{g.awaitsResponse, `unanswered_request_at IS NOT NULL`},
		{g.wasMade, `available_at IS NOT NULL`},
		{g.unpaused, `NOT ` + paused},
	} {
		if one.required {
			all = append(all, one.holds)
		}
	}
	return strings.Join(all, ` AND `)
}

// move executes one transition in one statement while the lease is held, and logs and counts it. The transitions of runs are
// in [Run.bulk]. volume has columns of the volume's row that it writes, too. It returns the updated record, or [ErrStale] if the
// lease ran out or the record changed after r was read.
func (c *Lease) move(ctx context.Context, r backup.Record, ch change, volume ...string) (backup.Record, error) {
	if !slices.Contains(ch.guard.from, r.State) || !allowed(r.State, ch.to) {
		return r, fmt.Errorf("move record %s to %s: it is %s", r.ID, ch.to, r.State)
	}
	// The volume's row is locked first, always in this order, so that no other handler takes the volume over while the record
	// is written.
	q := `
		UPDATE records SET state = @to, changed_at = CASE WHEN state = @to THEN changed_at ELSE staffeln_now() END, ` + ch.set + `
		WHERE id = @id AND volume_id = @volume AND ` + ch.guard.condition() + ` AND EXISTS (SELECT FROM lease)
		RETURNING ` + recordColumns
	if len(volume) > 0 {
		q = `, moved AS (` + q + `), kept AS (UPDATE volumes SET ` + strings.Join(volume, `, `) + ` WHERE id = @volume AND EXISTS (SELECT FROM moved)) SELECT * FROM moved`
	}
	q = `WITH lease AS (SELECT 1 FROM volumes WHERE ` + leaseHolds + ` FOR NO KEY UPDATE)` + q
	args := c.args(pgx.NamedArgs{"id": r.ID, "from": r.State, "to": ch.to})
	for name, value := range ch.args {
		if text, ok := value.(string); ok {
			value = storable(text)
		}
		args[name] = value
	}
	after, err := c.write(ctx, ch, q, args)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, fmt.Errorf("move record %s from %s to %s: %w", r.ID, r.State, ch.to, c.whyUnchanged(ctx, r, ch))
	}
	if err != nil {
		return r, fmt.Errorf("move record %s to %s: %w", r.ID, ch.to, err)
	}
	if ch.to != r.State {
		reason := after.Reason
		if ch.to.Removing() || r.State == backup.Deleting {
			reason = after.RemovalReason
		}
		c.db.count(r.State, ch.to, reason, 1)
		line := zerolog.Ctx(ctx).Info().EmbedObject(IDsOf(after)).Str("from", string(r.State)).Str("to", string(ch.to)).Str("kind", string(after.Kind))
		if reason != "" {
			line.Str("reason", string(reason))
		}
		line.Msg("record changed")
	}
	return after, nil
}

// IDsOf returns what lines of the log name a record by.
func IDsOf(r backup.Record) telemetry.IDs {
	return telemetry.IDs{RecordID: r.ID, VolumeID: r.VolumeID, Volume: r.VolumeName, ProjectID: r.ProjectID, Project: r.ProjectName, BackupID: r.BackupID}
}

// write runs the statement of one change. A change that starts something blocks a new pause until it is committed.
func (c *Lease) write(ctx context.Context, ch change, q string, args pgx.NamedArgs) (after backup.Record, err error) {
	one := func(from queries) error {
		rows, err := from.Query(ctx, q, args)
		if err == nil {
			after, err = pgx.CollectExactlyOneRow(rows, toRecord)
		}
		return err
	}
	if !ch.guard.unpaused {
		err = one(c.db.pool)
		return after, err
	}
	err = pgx.BeginFunc(ctx, c.db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, sharedPauseLock); err != nil {
			return err
		}
		return one(tx)
	})
	return after, err
}

// whyUnchanged returns the reason why a statement changed nothing.
func (c *Lease) whyUnchanged(ctx context.Context, r backup.Record, ch change) error {
	if ch.guard.unpaused {
		if all, err := pauses(ctx, c.db.pool); err == nil && all.Of(r.ProjectID) != nil {
			return ErrPaused
		}
	}
	return ErrStale
}

// leaseHolds is the condition that each write of a lease holder checks.
const leaseHolds = `id = @volume AND lease_token = @token AND lease_until > staffeln_now()`

// args returns the arguments of [leaseHolds] and the given ones.
func (c *Lease) args(more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{"volume": c.VolumeID, "token": c.token}
	maps.Copy(args, more)
	return args
}
