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
	// PageConnections are what pages and the read API have, and no more: each is busy for as long as one request is read.
	PageConnections = 4
	// pageTime ends a statement for a page, whatever became of its request.
	pageTime = 15 * time.Second
)

// Pages connects anew, to where d is, for what people and programs are shown: whoever reads keeps neither the delete
// check nor scheduler and worker waiting. A statement ends with its context. The caller closes it.
func (d *DB) Pages(ctx context.Context) (*DB, error) {
	cfg := d.pool.Config()
	cfg.MaxConns, cfg.MinConns = PageConnections, 0
	cfg.ConnConfig.RuntimeParams["application_name"] = "staffeln-pages"
	connected := cfg.AfterConnect
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error { // not as a parameter of the start: poolers refuse it
		if connected != nil {
			if err := connected(ctx, conn); err != nil {
				return err
			}
		}
		_, err := conn.Exec(ctx, "SET statement_timeout = "+strconv.FormatInt(pageTime.Milliseconds(), 10))
		return err
	}
	cfg.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		// By default the connection would be closed, and each request that somebody leaves would cost a new one.
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open database for the pages: %w", err)
	}
	return &DB{pool, d.metrics}, nil
}
