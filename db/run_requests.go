package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The runs that an operator can ask for at once.
const (
	AskedPlan      = "plan"
	AskedReconcile = "reconcile"
)

// A RunResult is what came of a run that an operator asked for.
type RunResult struct {
	BeganAt, EndedAt time.Time
	Failed           bool
	Outcome          string // what it did, or its error
}

// AskForRun asks the leader for a run at once. It returns the time of the request, for [DB.RunResult].
func (d *DB) AskForRun(ctx context.Context, run string) (asked time.Time, err error) {
	const q = `
		INSERT INTO run_requests (run, asked_at) VALUES ($1, staffeln_now())
		ON CONFLICT (run) DO UPDATE SET asked_at = staffeln_now(), began_at = NULL, ended_at = NULL
		RETURNING asked_at`
	if err := d.pool.QueryRow(ctx, q, run).Scan(&asked); err != nil {
		return asked, fmt.Errorf("ask for a %s run: %w", run, err)
	}
	return asked, nil
}

// RunResult returns the result of the run that was asked for at that time; nil: it has not ended. A run that began after a later
// request of the same kind ends both.
func (d *DB) RunResult(ctx context.Context, run string, asked time.Time) (*RunResult, error) {
	const q = `SELECT began_at, ended_at, failed, outcome FROM run_requests WHERE run = $1 AND asked_at >= $2 AND ended_at IS NOT NULL`
	rows, err := d.pool.Query(ctx, q, run, asked)
	if err != nil {
		return nil, fmt.Errorf("read result of the %s run: %w", run, err)
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToAddrOfStructByName[RunResult])
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // the run has not ended
	}
	if err != nil {
		return nil, fmt.Errorf("read result of the %s run: %w", run, err)
	}
	return r, nil
}

// isRequested is the condition of a request that no run has ended. Once begun it is not begun again for a while, because the
// leader may have died of it. A time in the future is of a clock that was set back.
const isRequested = `ended_at IS NULL AND (began_at IS NULL OR began_at NOT BETWEEN staffeln_now() - interval '5 minutes' AND staffeln_now())`

// Requested reports whether a run that an operator asked for has to begin.
func (d *DB) Requested(ctx context.Context) (wanted bool, err error) {
	if err := d.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM run_requests WHERE `+isRequested+`)`).Scan(&wanted); err != nil {
		return false, fmt.Errorf("read requests for runs: %w", err)
	}
	return wanted, nil
}

// BeginRequest records that a run begins that an operator asked for.
func (b *Run) BeginRequest(ctx context.Context, run string) error {
	const q = `
		UPDATE run_requests SET began_at = staffeln_now()
		WHERE run = $1 AND asked_at = $2 AND ended_at IS NULL AND EXISTS (SELECT FROM leadership WHERE term = $3)`
	if _, err := b.db.pool.Exec(ctx, q, run, b.Asked[run], b.Term); err != nil {
		return fmt.Errorf("record begin of the %s run: %w", run, err)
	}
	return nil
}

// EndRequest records the result of a run that an operator asked for. A request that came after the run began remains open.
func (b *Run) EndRequest(ctx context.Context, run string, result error) error {
	const q = `
		UPDATE run_requests SET began_at = $2, ended_at = staffeln_now(), failed = $3, outcome = $4
		WHERE run = $1 AND asked_at = $6 AND ended_at IS NULL AND EXISTS (SELECT FROM leadership WHERE term = $5)`
	outcome := b.Outcome
	if result != nil {
		outcome = result.Error()
	}
	if _, err := b.db.pool.Exec(ctx, q, run, b.Now, result != nil, storable(outcome), b.Term, b.Asked[run]); err != nil {
		return fmt.Errorf("record result of the %s run: %w", run, err)
	}
	return nil
}
