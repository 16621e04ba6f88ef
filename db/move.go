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
)

// change is one transition of one record: what it requires, where it leads and
// what it writes.
type change struct {
	guard guard
	to    backup.State
	set   string // further columns: constants of this package only
	args  pgx.NamedArgs
}

// A guard is what must hold of the record as it is in the table, beside the
// lease on its volume.
type guard struct {
	from         []backup.State // its state is one of these
	hasBackup    bool           // Cinder has named its backup
	awaitsAnswer bool           // a request to make it was sent, and nothing is known of its answer
	wasMade      bool           // it became a restore point
	unpaused     bool           // no pause forbids to begin something
}

func in(states ...backup.State) []backup.State { return states }

// condition returns the guard in SQL, for a record that was read in one of its states.
func (g guard) condition() string {
	all := []string{`state = @from`}
	for _, one := range []struct {
		required bool
		holds    string
	}{
		{g.hasBackup, `backup_id IS NOT NULL`},
		{g.awaitsAnswer, `unanswered_request_at IS NOT NULL`},
		{g.wasMade, `available_at IS NOT NULL`},
		{g.unpaused, `NOT ` + paused},
	} {
		if one.required {
			all = append(all, one.holds)
		}
	}
	return strings.Join(all, ` AND `)
}

// move carries out one transition in one statement, for whoever holds the
// lease, and is the one place that logs and counts it. It returns the record
// as it is now, or [ErrStale] where the lease ran out or the record is no
// longer as it was when r was read.
func (c *Lease) move(ctx context.Context, r backup.Record, ch change) (backup.Record, error) {
	if !slices.Contains(ch.guard.from, r.State) || ch.to != r.State && !r.State.CanBecome(ch.to) {
		return r, fmt.Errorf("move record %s to %s: it is %s", r.ID, ch.to, r.State)
	}
	// The lease's row is locked first, always in this order, so that nobody
	// takes the volume over while the record is written.
	q := `
		WITH lease AS (SELECT 1 FROM volumes WHERE ` + leaseHolds + ` FOR NO KEY UPDATE)
		UPDATE records SET state = @to, changed_at = CASE WHEN state = @to THEN changed_at ELSE staffeln_now() END, ` + ch.set + `
		WHERE id = @id AND volume_id = @volume AND ` + ch.guard.condition() + ` AND EXISTS (SELECT FROM lease)
		RETURNING ` + recordColumns
	args := c.args(pgx.NamedArgs{"id": r.ID, "from": r.State, "to": ch.to})
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
		if ch.to.Removing() || r.State == backup.Deleting {
			reason = after.RemovalReason
		}
		c.db.count(r.State, ch.to, reason, 1)
		zerolog.Ctx(ctx).Info().Str("record", r.ID).Str("volume", r.VolumeID).Str("project", r.ProjectID).
			Str("backup", after.BackupID).Str("from", string(r.State)).Str("to", string(ch.to)).
			Str("kind", string(after.Kind)).Str("reason", string(reason)).Msg("record changed")
	}
	return after, nil
}

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
	if !ch.guard.unpaused {
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

// unmoved returns why a statement changed nothing.
func (c *Lease) unmoved(ctx context.Context, r backup.Record, ch change) error {
	if ch.guard.unpaused {
		if all, err := pauses(ctx, c.db.pool); err == nil && all.Of(r.ProjectID) != nil {
			return ErrPaused
		}
	}
	return ErrStale
}

// leaseHolds is the guard of each write for whoever holds a volume's lease.
const leaseHolds = `id = @volume AND lease_token = @token AND lease_until > staffeln_now()`

// args returns those of [leaseHolds] and the given ones.
func (c *Lease) args(more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{"volume": c.VolumeID, "token": c.token}
	maps.Copy(args, more)
	return args
}
