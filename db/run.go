package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Beat is one turn of a leader: its writes name the term and change nothing
// once a newer one has begun. Now is the database's clock, read once.
type Run struct {
	db   *DB
	Term int64
	Now  time.Time
	LastRuns
}

// LastRuns is what the leader's row remembers of the newest beats; nil = never.
type LastRuns struct {
	PlannedAt, DispatchedAt, RetentionAt, ReconciledAt, ReportedAt *time.Time
}

// ErrLostLeadership says that a newer term has begun: what the beat still had to
// write was not written.
var ErrLostLeadership = errors.New("a newer term has begun: another scheduler leads")

// Run begins one turn in the given term.
func (d *DB) BeginRun(ctx context.Context, term int64) (*Run, error) {
	b := &Run{db: d, Term: term}
	const q = `SELECT staffeln_now(), planned_at, dispatched_at, retention_at, reconciled_at, reported_at FROM leadership WHERE term = $1`
	err := d.pool.QueryRow(ctx, q, term).Scan(&b.Now, &b.PlannedAt, &b.DispatchedAt, &b.RetentionAt, &b.ReconciledAt, &b.ReportedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrLostLeadership
	}
	if err != nil {
		return nil, fmt.Errorf("begin run of term %d: %w", term, err)
	}
	b.Now = b.Now.UTC()
	return b, nil
}

// The beats whose time the leader's row remembers.
const (
	PlanRun       = "planned_at"
	DispatchRun   = "dispatched_at"
	RetentionBeat = "retention_at"
	SweepBeat     = "reconciled_at"
	ReportRun     = "reported_at"
)

var doneStatements = map[string]string{
	PlanRun:       `UPDATE leadership SET planned_at = $2 WHERE term = $1`,
	DispatchRun:   `UPDATE leadership SET dispatched_at = $2 WHERE term = $1`,
	RetentionBeat: `UPDATE leadership SET retention_at = $2 WHERE term = $1`,
	SweepBeat:     `UPDATE leadership SET reconciled_at = $2 WHERE term = $1`,
	ReportRun:     `UPDATE leadership SET reported_at = $2 WHERE term = $1`,
}

// Done remembers that the beat of that kind is done for the grid time at.
func (b *Run) Done(ctx context.Context, kind string, at time.Time) error {
	q, ok := doneStatements[kind]
	if !ok {
		return fmt.Errorf("record run: there is none called %q", kind)
	}
	tag, err := b.db.pool.Exec(ctx, q, b.Term, at)
	if err != nil {
		return fmt.Errorf("remember %s: %w", kind, err)
	}
	if tag.RowsAffected() == 0 {
		return ErrLostLeadership
	}
	return nil
}

// reigning runs one write of the beat in a transaction that holds the term:
// nobody can begin a newer one until it is written, and in an older one it is
// not begun. Writes of one term go one after the other, so that what one
// counted still holds when it writes. A process that hangs in the middle of one
// keeps the term for no longer than it keeps the lead: [Leadership.Keep].
func (b *Run) inTerm(ctx context.Context, write func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, b.db.pool, func(tx pgx.Tx) error {
		const hold = `SELECT set_config('idle_in_transaction_session_timeout', $2, true) FROM leadership WHERE term = $1 FOR NO KEY UPDATE`
		var bound string
		err := tx.QueryRow(ctx, hold, b.Term, silenceTime).Scan(&bound)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrLostLeadership
		}
		if err != nil {
			return err
		}
		return write(tx)
	})
}
