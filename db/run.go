package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Run is one periodic run of the leader. Its writes check the term and change nothing once a newer term has begun. Now is
// the database's clock, read once at the beginning.
type Run struct {
	db   *DB
	Term int64
	Now  time.Time
	// Since is when the term began.
	Since time.Time
	LastRuns

	Asked   map[string]time.Time // runs that operators asked for at once, and when they did
	Outcome string               // what the run did, for the operator who asked for it
}

// LastRuns has the times of the newest runs, from the leader's row; nil means never.
type LastRuns struct {
	PlannedAt, DispatchedAt, RetentionAt, ReconciledAt, ReportedAt *time.Time
}

// ErrLostLeadership means that a newer term has begun. The remaining writes of the run were not executed.
var ErrLostLeadership = errors.New("a newer term has begun: another scheduler leads")

// BeginRun begins one run in the given term.
func (d *DB) BeginRun(ctx context.Context, term int64) (*Run, error) {
	b := &Run{db: d, Term: term}
	q := `SELECT staffeln_now(), coalesce(since, staffeln_now()), planned_at, dispatched_at, retention_at, reconciled_at, reported_at,
		ARRAY(SELECT run FROM run_requests WHERE ` + isRequested + ` ORDER BY run), ARRAY(SELECT asked_at FROM run_requests WHERE ` + isRequested + ` ORDER BY run)
		FROM leadership WHERE term = $1`
	var runs []string
	var askedAt []time.Time
	err := d.pool.QueryRow(ctx, q, term).Scan(&b.Now, &b.Since, &b.PlannedAt, &b.DispatchedAt, &b.RetentionAt, &b.ReconciledAt, &b.ReportedAt, &runs, &askedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrLostLeadership
	}
	if err != nil {
		return nil, fmt.Errorf("begin run of term %d: %w", term, err)
	}
	b.Now, b.Asked = b.Now.UTC(), make(map[string]time.Time, len(runs))
	for i, run := range runs {
		b.Asked[run] = askedAt[i]
	}
	return b, nil
}

// The kinds of runs whose time the leader's row stores.
const (
	PlanRun      = "planned_at"
	DispatchRun  = "dispatched_at"
	RetentionRun = "retention_at"
	ReconcileRun = "reconciled_at"
	ReportRun    = "reported_at"
)

var doneStatements = map[string]string{
	PlanRun:      `UPDATE leadership SET planned_at = $2 WHERE term = $1`,
	DispatchRun:  `UPDATE leadership SET dispatched_at = $2 WHERE term = $1`,
	RetentionRun: `UPDATE leadership SET retention_at = $2 WHERE term = $1`,
	ReconcileRun: `UPDATE leadership SET reconciled_at = $2 WHERE term = $1`,
	ReportRun:    `UPDATE leadership SET reported_at = $2 WHERE term = $1`,
}

// Done records that the run of that kind for the scheduled time at is done.
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

// inTerm runs one write in a transaction that holds the term. No newer term can begin until the write is committed, and if one
// has begun the write is not executed. Writes of one term run one after the other, so what a write has counted still holds
// when it commits. A process that hangs during a write keeps the term for no longer than it keeps the leadership:
// [Leadership.Keep].
func (b *Run) inTerm(ctx context.Context, write func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, b.db.pool, func(tx pgx.Tx) error {
		const hold = `SELECT set_config('idle_in_transaction_session_timeout', $2, true) FROM leadership WHERE term = $1 FOR NO KEY UPDATE`
		var bound string
		err := tx.QueryRow(ctx, hold, b.Term, idleSessionTimeout).Scan(&bound)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrLostLeadership
		}
		if err != nil {
			return err
		}
		return write(tx)
	})
}
