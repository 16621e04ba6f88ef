package db

import (
	"context"
	"fmt"
)

// SignOut ends a web session, identified by the SHA-256 of its token, on all replicas of the api. It is kept for thirty days:
// no token lives longer.
func (d *DB) SignOut(ctx context.Context, session [32]byte) error {
	const q = `
		WITH over AS (DELETE FROM sign_outs WHERE until < staffeln_now())
		INSERT INTO sign_outs (session, until) VALUES ($1, staffeln_now() + interval '30 days') ON CONFLICT (session) DO NOTHING`
	if _, err := d.pool.Exec(ctx, q, session[:]); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// ServiceUserID returns the ID of the service user, which schedulers and workers store when they start; empty before.
func (d *DB) ServiceUserID(ctx context.Context) (id string, err error) {
	if err := d.pool.QueryRow(ctx, `SELECT service_user_id FROM installation`).Scan(&id); err != nil {
		return "", fmt.Errorf("read service user: %w", err)
	}
	return id, nil
}

// SignedOut reports whether a session was ended on any replica.
func (d *DB) SignedOut(ctx context.Context, session [32]byte) (ended bool, err error) {
	if err := d.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM sign_outs WHERE session = $1)`, session[:]).Scan(&ended); err != nil {
		return false, fmt.Errorf("read whether a session was ended: %w", err)
	}
	return ended, nil
}
