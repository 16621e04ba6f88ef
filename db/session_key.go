package db

import (
	"context"
	"crypto/rand"
	"fmt"
)

// SessionKey returns the key with which all replicas of the api encrypt their cookies: 32 random bytes, created by the first
// caller. An attacker who reads the key from the database still needs a user's cookie.
func (d *DB) SessionKey(ctx context.Context) ([]byte, error) {
	made := make([]byte, 32)
	_, _ = rand.Read(made) // documented to never fail
	var key []byte
	if _, err := d.pool.Exec(ctx, `INSERT INTO session_key (key) VALUES ($1) ON CONFLICT DO NOTHING`, made); err != nil {
		return nil, fmt.Errorf("make session key: %w", err)
	}
	if err := d.pool.QueryRow(ctx, `SELECT key FROM session_key`).Scan(&key); err != nil {
		return nil, fmt.Errorf("read session key: %w", err)
	}
	return key, nil
}
