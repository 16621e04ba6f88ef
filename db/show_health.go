package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Postgres is what the database server reports about itself.
type Postgres struct {
	Version           int // server_version_num
	Recovery          bool
	Fsync             bool
	SynchronousCommit string
	Replicas          int
}

// Postgres reads the server's settings and replication state.
func (l *Snapshot) Postgres(ctx context.Context) (Postgres, error) {
	const q = `
		SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS recovery, current_setting('fsync')::bool AS fsync,
			current_setting('synchronous_commit') AS synchronous_commit, (SELECT count(*) FROM pg_stat_replication)::int AS replicas`
	rows, err := l.tx.Query(ctx, q)
	if err != nil {
		return Postgres{}, fmt.Errorf("ask database about itself: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Postgres])
	if err != nil {
		return Postgres{}, fmt.Errorf("ask database about itself: %w", err)
	}
	return s, nil
}

// Pooled reports whether a pooler between us and Postgres pools transactions. In that case another backend serves our session
// while its last backend is in use.
func Pooled(ctx context.Context, url string) (bool, error) {
	cfg, err := parse(url, "staffeln doctor")
	if err != nil {
		return false, fmt.Errorf("detect a pooler: %w", err)
	}
	const backend = `SELECT pg_backend_pid()`
	var before, inUse, after int
	err = withConnection(ctx, cfg.ConnConfig, func(one *pgx.Conn) error {
		return withConnection(ctx, cfg.ConnConfig, func(other *pgx.Conn) error {
			if err := one.QueryRow(ctx, backend).Scan(&before); err != nil {
				return err
			}
			return pgx.BeginFunc(ctx, other, func(tx pgx.Tx) error {
				return errors.Join(tx.QueryRow(ctx, backend).Scan(&inUse), one.QueryRow(ctx, backend).Scan(&after))
			})
		})
	})
	if err != nil {
		return false, fmt.Errorf("detect a pooler before database %s: %w", databaseAddress(cfg), err)
	}
	return before != after, nil
}

// withConnection calls a function with a new connection.
func withConnection(ctx context.Context, cfg *pgx.ConnConfig, do func(*pgx.Conn) error) error {
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // all work is done
	return do(conn)
}

// A Load is the backup load of the protected volumes of one project.
type Load struct {
	ProjectID, ProjectName string
	Volumes, Encrypted     int            // protected ones
	Average                *time.Duration // average duration of the successful backups of the last day; nil: there was none
}

// Loads returns the load by project.
func (l *Snapshot) Loads(ctx context.Context) ([]Load, error) {
	const q = `
		SELECT v.project_id, max(v.project_name) AS project_name, count(*)::int AS volumes, count(*) FILTER (WHERE v.encrypted)::int AS encrypted,
			(SELECT avg(` + took + `) FROM records r WHERE r.project_id = v.project_id AND available_at IS NOT NULL AND ended_at > $1) AS average
		FROM volumes v WHERE v.protected AND v.gone_at IS NULL GROUP BY v.project_id ORDER BY project_name, v.project_id`
	rows, err := l.tx.Query(ctx, q, l.Now.AddDate(0, 0, -1))
	if err != nil {
		return nil, fmt.Errorf("read load: %w", err)
	}
	loads, err := pgx.CollectRows(rows, pgx.RowToStructByName[Load])
	if err != nil {
		return nil, fmt.Errorf("read load: %w", err)
	}
	return loads, nil
}

// EachRecord calls the function for each record.
func (l *Snapshot) EachRecord(ctx context.Context, each func(backup.Record)) error {
	rows, err := l.tx.Query(ctx, `SELECT `+recordColumns+` FROM records ORDER BY id`)
	if err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := toRecord(rows)
		if err != nil {
			return fmt.Errorf("read records: %w", err)
		}
		each(r)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read records: %w", err)
	}
	return nil
}
