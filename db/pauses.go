package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Pause prevents new work: no backup and no removal is requested. Work that Cinder has already begun is still followed.
type Pause struct {
	ProjectID string // empty: all projects
	Since     time.Time
	Who, Why  string
}

// dryRun is who pauses everything while STAFFELN_DRY_RUN is set.
const dryRun = "STAFFELN_DRY_RUN"

// DryRun reports whether the configuration pauses, and not an operator: then decisions are made as ever, and only their work
// waits.
func (p Pause) DryRun() bool { return p.Who == dryRun }

// ErrPaused means that nothing was started because the operator paused it.
var ErrPaused = errors.New("paused by the operator")

// paused holds for a record if its project, or everything, is paused. Statements that start something check it: [guard].
const paused = `EXISTS (SELECT FROM pauses WHERE pauses.project_id IN ('', records.project_id))`

// A statement does not see a pause that is committed while it waits for a row lock. So each transaction that starts something
// takes a shared lock, and a pause takes it exclusively: the pause waits for the transactions before it, and those after it
// see the pause. The number is "pauses" in ASCII, in decimal for Postgres before 16.
const (
	sharedPauseLock    = `SELECT pg_advisory_xact_lock_shared(123563884635507)`
	exclusivePauseLock = `SELECT pg_advisory_xact_lock(123563884635507)`
)

// Pause pauses a project, or everything for the empty ID. An existing pause keeps its since time; begun reports whether the
// pause is new. Once Pause has returned, no further record enters a state in which Cinder is asked for something.
func (d *DB) Pause(ctx context.Context, p Pause) (begun bool, err error) {
	const q = `INSERT INTO pauses (project_id, since, who, why) VALUES ($1, staffeln_now(), $2, $3)
		ON CONFLICT (project_id) DO UPDATE SET who = excluded.who, why = excluded.why RETURNING xmax = 0`
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, exclusivePauseLock); err != nil {
			return err
		}
		return tx.QueryRow(ctx, q, p.ProjectID, storable(p.Who), storable(p.Why)).Scan(&begun)
	})
	if err != nil {
		return false, fmt.Errorf("pause: %w", err)
	}
	return begun, nil
}

// Resume ends the pause of a project, or the pause of everything for the empty ID. That one does not end the pauses of single
// projects, nor a dry run. ended reports whether there was such a pause.
func (d *DB) Resume(ctx context.Context, projectID string) (ended bool, err error) {
	tag, err := d.pool.Exec(ctx, `DELETE FROM pauses WHERE project_id = $1 AND who <> $2`, projectID, dryRun)
	if err != nil {
		return false, fmt.Errorf("resume: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// KeepDryRun pauses everything for a dry run, unless an operator has done so, or ends that pause.
func (b *Run) KeepDryRun(ctx context.Context, on bool) error {
	q := `DELETE FROM pauses WHERE who = $1`
	if on {
		q = `WITH locked AS (` + exclusivePauseLock + `) INSERT INTO pauses (project_id, since, who, why)
			SELECT '', staffeln_now(), $1, 'nothing begins in a dry run' FROM locked ON CONFLICT (project_id) DO NOTHING`
	}
	if _, err := b.db.pool.Exec(ctx, q, dryRun); err != nil {
		return fmt.Errorf("keep the pause of a dry run: %w", err)
	}
	return nil
}

// Pauses is the list of pauses; the empty project ID pauses everything.
type Pauses []Pause

// Of returns the pause that applies to a project, or nil.
func (p Pauses) Of(projectID string) *Pause {
	for i := range p {
		if p[i].ProjectID == "" || p[i].ProjectID == projectID {
			return &p[i]
		}
	}
	return nil
}

// Projects returns the IDs of the paused projects; "" is all projects.
func (p Pauses) Projects() (ids []string) {
	for _, one := range p {
		ids = append(ids, one.ProjectID)
	}
	return ids
}

// Pauses returns the current pauses, the pause of everything first.
func (b *Run) Pauses(ctx context.Context) (Pauses, error) { return pauses(ctx, b.db.pool) }

// Pauses returns the pauses, the pause of everything first.
func (l *Snapshot) Pauses(ctx context.Context) (Pauses, error) { return pauses(ctx, l.tx) }

// queries is implemented by the pool and by transactions.
type queries interface {
	Query(ctx context.Context, q string, args ...any) (pgx.Rows, error)
}

func pauses(ctx context.Context, from queries) (Pauses, error) {
	rows, err := from.Query(ctx, `SELECT project_id, since, who, why FROM pauses ORDER BY project_id`)
	if err != nil {
		return nil, fmt.Errorf("read pauses: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Pause])
	if err != nil {
		return nil, fmt.Errorf("read pauses: %w", err)
	}
	return all, nil
}
