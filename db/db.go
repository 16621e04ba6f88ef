// Package db is Staffeln's memory: records and their transitions, volumes and
// their leases, findings, and who leads.
//
// Every truth of the product stands in these tables; the queue only carries
// work. A write that depends on a right (a lease, a term) names it in the same
// statement, so that whoever lost the right writes nothing. The package must
// not know the queue, the cloud or HTTP.
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

// An Option changes how a DB connects, before it does.
type Option func(*pgxpool.Config)

// Open connects and refuses a server that does not let us in and a schema of
// another version, saying what to do.
// The caller closes it.
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
		return nil, fmt.Errorf("open database %s: %w", place(cfg), err)
	}
	d := &DB{pool: pool, metrics: m}
	if err := d.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database %s: %w", place(cfg), advised(err))
	}
	if err := d.checkVersion(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database %s: %w", place(cfg), advisedBySQLState(err))
	}
	return d, nil
}

// Close ends all connections.
func (d *DB) Close() { d.pool.Close() }

// Ping tells whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return d.pool.QueryRow(ctx, "SELECT 1").Scan(&one)
}

// Now reads the one clock: the database's, in UTC.
func (d *DB) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	if err := d.pool.QueryRow(ctx, "SELECT staffeln_now()").Scan(&now); err != nil {
		return now, fmt.Errorf("read the database's clock: %w", err)
	}
	return now.UTC(), nil
}

// Installation returns the ID that the first migration made; it stands in the
// tag of each of our backups.
func (d *DB) Installation(ctx context.Context) (string, error) {
	var id string
	if err := d.pool.QueryRow(ctx, "SELECT id FROM installation").Scan(&id); err != nil {
		return "", fmt.Errorf("read installation: %w", err)
	}
	return id, nil
}

// count is called for every change of state, and nowhere else.
func (d *DB) count(from, to backup.State, reason backup.Reason, n int) {
	if d.metrics != nil && n > 0 {
		d.metrics.Transition(string(from), string(to), string(reason), n)
	}
}
