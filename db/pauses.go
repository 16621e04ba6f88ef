package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Pause lets nothing new start: no backup is asked for and no removal. What
// Cinder is doing already is followed.
type Pause struct {
	ProjectID string // empty: all projects
	Since     time.Time
	Who, Why  string
}

// ErrPaused says that nothing was begun because the operator paused it.
var ErrPaused = errors.New("paused by the operator")

// paused holds for a record whose project, or all, is paused. No statement
// begins something then: [guard].
const paused = `EXISTS (SELECT FROM pauses WHERE pauses.project_id IN ('', records.project_id))`

// A statement does not see the pause that is committed while it waits for a
// row. So whatever begins something shares a lock until it is committed, and a
// pause takes it alone: it waits for those that looked before it, and those
// that come after it see it. The number is "pauses" in ASCII, in decimal for Postgres before 16.
const (
	enter = `SELECT pg_advisory_xact_lock_shared(123563884635507)`
	shut  = `SELECT pg_advisory_xact_lock(123563884635507)`
)

// Pause begins a pause of a project, or of all for the empty ID. One that is
// known keeps its beginning; begun tells whether it is new. Once it returned no
// record says anew that Cinder is asked for something.
func (d *DB) Pause(ctx context.Context, p Pause) (begun bool, err error) {
	const q = `INSERT INTO pauses (project_id, since, who, why) VALUES ($1, staffeln_now(), $2, $3)
		ON CONFLICT (project_id) DO UPDATE SET who = excluded.who, why = excluded.why RETURNING xmax = 0`
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, shut); err != nil {
			return err
		}
		return tx.QueryRow(ctx, q, p.ProjectID, storable(p.Who), storable(p.Why)).Scan(&begun)
	})
	if err != nil {
		return false, fmt.Errorf("pause: %w", err)
	}
	return begun, nil
}

// Resume ends the pause of a project, or that of all for the empty ID; pauses
// of single projects stay. Ended tells whether there was one.
func (d *DB) Resume(ctx context.Context, projectID string) (ended bool, err error) {
	tag, err := d.pool.Exec(ctx, `DELETE FROM pauses WHERE project_id = $1`, projectID)
	if err != nil {
		return false, fmt.Errorf("resume: %w", err)
	}
	return tag.RowsAffected() > 0, nil
}

// Pauses is what is paused: all (the empty ID) or projects.
type Pauses []Pause

// Of returns the pause that holds for a project, nil where none does.
func (p Pauses) Of(projectID string) *Pause {
	for i := range p {
		if p[i].ProjectID == "" || p[i].ProjectID == projectID {
			return &p[i]
		}
	}
	return nil
}

// Pauses returns what is paused now, the pause of all first.
func (b *Run) Pauses(ctx context.Context) (Pauses, error) { return pauses(ctx, b.db.pool) }

// Pauses returns what is paused, the pause of all first.
func (l *Snapshot) Pauses(ctx context.Context) (Pauses, error) { return pauses(ctx, l.tx) }

// queries is the pool or a transaction.
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
