// Package db stores Staffeln's state in Postgres: records and their transitions, volumes and their leases, findings, and the
// leadership.
//
// These tables are the only source of truth; the queue only carries tasks. A write that depends on a lease or a term checks it
// in the same statement or transaction, so a process that lost it writes nothing. The package must not depend on the queue,
// the cloud or HTTP.
package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"staffeln/backup"
	"staffeln/internal/telemetry"
)

// DB is a pool of connections to the database of one installation.
type DB struct {
	pool    *pgxpool.Pool
	metrics *telemetry.Metrics
}

// An Option changes the connection settings of a DB before it connects.
type Option func(*pgxpool.Config)

// Open connects to the database. It returns an error with advice if the server refuses the connection or the schema has
// another version. The caller closes the DB.
func Open(ctx context.Context, url string, m *telemetry.Metrics, opts ...Option) (*DB, error) {
	cfg, err := parse(url, "staffeln")
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	for _, change := range opts {
		change(cfg)
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", databaseAddress(cfg), err)
	}
	d := &DB{pool: pool, metrics: m}
	if err := d.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database %s: %w", databaseAddress(cfg), withAdvice(err))
	}
	if err := d.checkVersion(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database %s: %w", databaseAddress(cfg), withSQLStateAdvice(err))
	}
	return d, nil
}

// Close closes all connections.
func (d *DB) Close() { d.pool.Close() }

// Ping returns an error if the database does not respond.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return d.pool.QueryRow(ctx, "SELECT 1").Scan(&one)
}

// Now returns the time in UTC by the database's clock, the only clock that the product uses.
func (d *DB) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	if err := d.pool.QueryRow(ctx, "SELECT staffeln_now()").Scan(&now); err != nil {
		return now, fmt.Errorf("read the database's clock: %w", err)
	}
	return now.UTC(), nil
}

// Installation returns the installation's ID, which the first migration created. The tag of each of our backups contains it.
func (d *DB) Installation(ctx context.Context) (string, error) {
	var id string
	if err := d.pool.QueryRow(ctx, "SELECT id FROM installation").Scan(&id); err != nil {
		return "", fmt.Errorf("read installation: %w", err)
	}
	return id, nil
}

// allowed reports whether the state machine allows a record to go from one state to another, to keep its state, or (from is
// empty) to begin in that state.
func allowed(from, to backup.State) bool {
	return to == from || from == "" && to.CanBeFirst() || from.CanBecome(to)
}

// count updates the metric of transitions. The functions that change a state call it: [Lease.move], [Run.bulk], [DB.TakeOver] and
// [DB.PlanManual].
func (d *DB) count(from, to backup.State, reason backup.Reason, n int) {
	if d.metrics != nil && n > 0 && from != to {
		d.metrics.Transition(string(from), string(to), string(reason), string(reason.Whose()), n)
	}
}
