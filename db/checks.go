package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"staffeln/backup"
)

// Checks answers for the delete check, by connections of its own: no plan and
// no page keeps Cinder waiting. What is not an answer (probes, and who asked)
// has another two.
type Checks struct{ pool, side *pgxpool.Pool }

// checkConnections are enough for one core: an answer takes a fraction of a
// millisecond, and what waits is answered in turn.
const checkConnections = 8

// sideConnections are for a probe and a write at a time.
const sideConnections = 2

// errStandby refuses answers that may be older than the truth.
var errStandby = errors.New("the database is a standby: want the primary; name it in STAFFELN_DATABASE_URL, or add target_session_attrs=read-write")

// Checks connects anew, to where the DB is. The caller closes it.
func (d *DB) Checks(ctx context.Context) (*Checks, error) {
	cfg := d.pool.Config()
	cfg.MaxConns, cfg.MinConns = checkConnections, 1
	cfg.ConnConfig.RuntimeParams["application_name"] = "staffeln-check"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database for the delete check: %w", err)
	}
	beside := d.pool.Config()
	beside.MaxConns, beside.MinConns = sideConnections, 0
	beside.ConnConfig.RuntimeParams["application_name"] = "staffeln-check-side"
	side, err := pgxpool.NewWithConfig(ctx, beside)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database for the delete check: %w", err)
	}
	return &Checks{pool, side}, nil
}

// Close ends its connections.
func (c *Checks) Close() {
	c.pool.Close()
	c.side.Close()
}

// Ping tells whether the primary answers.
func (c *Checks) Ping(ctx context.Context) error {
	var standby bool
	if err := c.side.QueryRow(ctx, "SELECT pg_is_in_recovery()").Scan(&standby); err != nil {
		return err
	}
	if standby {
		return errStandby
	}
	return nil
}

// Deletion returns what the memory knows of a backup that somebody wants
// Cinder to delete, and of us, as the primary has it now.
func (c *Checks) Deletion(ctx context.Context, backupID string) (backup.Deletion, error) {
	const q = `
		SELECT pg_is_in_recovery(), i.id, i.service_user_id, r.id IS NOT NULL, coalesce(r.state, ''), coalesce(r.repair, '')
		FROM installation i LEFT JOIN records r ON r.backup_id = $1`
	var standby bool
	var d backup.Deletion
	err := c.pool.QueryRow(ctx, q, backupID).Scan(&standby, &d.Us.Installation, &d.Us.UserID, &d.Recorded, &d.State, &d.Repair)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		err = errors.New("the database has no installation: run `staffeln migrate up`")
	case err == nil && standby:
		err = errStandby
	}
	if err != nil {
		return backup.Deletion{}, fmt.Errorf("read what is known of backup %s: %w", backupID, err)
	}
	return d, nil
}

// ServiceUser notes as whom scheduler and workers sign in, for the delete
// check, which must answer without the cloud.
func (d *DB) ServiceUser(ctx context.Context, userID string) error {
	const q = `UPDATE installation SET service_user_id = $1 WHERE service_user_id <> $1`
	if _, err := d.pool.Exec(ctx, q, userID); err != nil {
		return fmt.Errorf("note the service user: %w", err)
	}
	return nil
}
