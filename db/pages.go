package db

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// PageConnections is the maximum number of connections for pages and the read API. Each request uses one while it reads.
	PageConnections = 4
	// pageTimeout is the statement timeout for pages; it applies even if the request was abandoned.
	pageTimeout = 15 * time.Second
)

// Pages opens further connections to the same database for the pages and the read API, so that readers delay neither the
// delete check nor the scheduler and workers. Cancelling its context cancels a statement. The caller closes the DB.
func (d *DB) Pages(ctx context.Context) (*DB, error) {
	cfg := d.pool.Config()
	cfg.MaxConns, cfg.MinConns = PageConnections, 0
	cfg.ConnConfig.RuntimeParams["application_name"] = "staffeln-pages"
	afterConnect := cfg.AfterConnect
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { // not as a startup parameter: poolers refuse it
		if afterConnect != nil {
			if err := afterConnect(ctx, conn); err != nil {
				return err
			}
		}
		_, err := conn.Exec(ctx, "SET statement_timeout = "+strconv.FormatInt(pageTimeout.Milliseconds(), 10))
		return err
	}
	cfg.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		// By default pgx closes the connection, so each abandoned request would cost a new one.
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database for the pages: %w", err)
	}
	return &DB{pool, d.metrics}, nil
}
