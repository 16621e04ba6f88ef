package db

import (
	"context"
	"crypto/rand"
	"fmt"
)

// SessionKey returns the key that all replicas of the api seal their cookies
// with: 32 random bytes, made by the first that asks. Whoever reads it from the
// database still needs somebody's cookie for it to be of use.
func (d *DB) SessionKey(ctx context.Context) ([]byte, error) {
	made := make([]byte, 32)
	_, _ = rand.Read(made) // never fails, by its documentation
	var key []byte
	if _, err := d.pool.Exec(ctx, `INSERT INTO session_key (key) VALUES ($1) ON CONFLICT DO NOTHING`, made); err != nil {
		return nil, fmt.Errorf("make session key: %w", err)
	}
	if err := d.pool.QueryRow(ctx, `SELECT key FROM session_key`).Scan(&key); err != nil {
		return nil, fmt.Errorf("read session key: %w", err)
	}
	return key, nil
}
