package db

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"staffeln/backup"
)

// Checks reads for the delete check on connections of its own, so that no plan and no page delays Cinder. Probes and audit
// writes use two further connections.
type Checks struct{ pool, side *pgxpool.Pool }

// checkConnections is enough for one core: a query takes a fraction of a millisecond, and the requests beyond the limit wait
// in a queue.
const checkConnections = 8

// sideConnections is enough for one probe and one write at the same time.
const sideConnections = 2

// errStandby is returned by a standby, whose data may be out of date.
var errStandby = errors.New("the database is a standby: want the primary; name it in STAFFELN_DATABASE_URL, or add target_session_attrs=read-write")

// Checks opens new connections to the same database. The caller closes them.
func (d *DB) Checks(ctx context.Context) (*Checks, error) {
	cfg := d.pool.Config()
	cfg.MaxConns, cfg.MinConns = checkConnections, 1
	cfg.ConnConfig.RuntimeParams["application_name"] = "staffeln-check"
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database for the delete check: %w", err)
	}
	sideConfig := d.pool.Config()
	sideConfig.MaxConns, sideConfig.MinConns = sideConnections, 0
	sideConfig.ConnConfig.RuntimeParams["application_name"] = "staffeln-check-side"
	side, err := pgxpool.NewWithConfig(ctx, sideConfig)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database for the delete check: %w", err)
	}
	return &Checks{pool, side}, nil
}

// Close closes the connections.
func (c *Checks) Close() {
	c.pool.Close()
	c.side.Close()
}

// Ping returns an error if the primary does not respond.
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

// Deletion returns the data of the primary's records about a backup that a caller wants Cinder to delete, and the identity of
// this installation.
func (c *Checks) Deletion(ctx context.Context, backupID string) (backup.DeleteRequest, error) {
	const q = `
		SELECT pg_is_in_recovery(), i.id, i.service_user_id, r.id IS NOT NULL, coalesce(r.state, ''), coalesce(r.repair, '')
		FROM installation i LEFT JOIN records r ON r.backup_id = $1`
	var standby bool
	var d backup.DeleteRequest
	err := c.pool.QueryRow(ctx, q, backupID).Scan(&standby, &d.Us.Installation, &d.Us.UserID, &d.Recorded, &d.State, &d.Repair)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		err = errors.New("the database has no installation: run `staffeln migrate up`")
	case err == nil && standby:
		err = errStandby
	}
	if err != nil {
		return backup.DeleteRequest{}, fmt.Errorf("read what is known of backup %s: %w", backupID, err)
	}
	return d, nil
}

// ServiceUser stores the ID of the user as which the scheduler and the workers authenticate. The delete check reads it,
// because it must not depend on the cloud.
func (d *DB) ServiceUser(ctx context.Context, userID string) error {
	const q = `UPDATE installation SET service_user_id = $1 WHERE service_user_id <> $1`
	if _, err := d.pool.Exec(ctx, q, userID); err != nil {
		return fmt.Errorf("note the service user: %w", err)
	}
	return nil
}
