package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// The kinds of processes that send heartbeats.
const (
	SchedulerProcess = "scheduler"
	WorkerProcess    = "worker"
)

// A Heartbeat is the newest sign of life of a scheduler or worker that runs, or that died within the last day.
type Heartbeat struct {
	Kind, Name, Version string
	StartedAt, SeenAt   time.Time
}

// RecordHeartbeat records that a process is alive. A row that was not renewed for a day is deleted.
func (d *DB) RecordHeartbeat(ctx context.Context, p Heartbeat) error {
	const q = `
		WITH dead AS (DELETE FROM processes WHERE seen_at < staffeln_now() - interval '1 day' AND (kind, name) <> ($1, $2))
		INSERT INTO processes (kind, name, version, started_at, seen_at) VALUES ($1, $2, $3, $4, staffeln_now())
		ON CONFLICT (kind, name) DO UPDATE SET version = $3, started_at = $4, seen_at = staffeln_now()`
	if _, err := d.pool.Exec(ctx, q, p.Kind, p.Name, p.Version, p.StartedAt); err != nil {
		return fmt.Errorf("record heartbeat of %s %s: %w", p.Kind, p.Name, err)
	}
	return nil
}

// DeleteHeartbeat deletes the heartbeat of a process that ends.
func (d *DB) DeleteHeartbeat(ctx context.Context, p Heartbeat) error {
	if _, err := d.pool.Exec(ctx, `DELETE FROM processes WHERE kind = $1 AND name = $2`, p.Kind, p.Name); err != nil {
		return fmt.Errorf("delete heartbeat of %s %s: %w", p.Kind, p.Name, err)
	}
	return nil
}

// Heartbeats returns all heartbeats, by kind and name.
func (l *Snapshot) Heartbeats(ctx context.Context) ([]Heartbeat, error) {
	rows, err := l.tx.Query(ctx, `SELECT kind, name, version, started_at, seen_at FROM processes ORDER BY kind, name`)
	if err != nil {
		return nil, fmt.Errorf("read heartbeats: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Heartbeat])
	if err != nil {
		return nil, fmt.Errorf("read heartbeats: %w", err)
	}
	return all, nil
}
