package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// AcceptLosses is the operator's word that restore points are missing in
// Cinder in such numbers for a reason that is known: the next sweep that begins
// asks Cinder about each of them, however many there are, and records the loss
// of those that it no longer has.
func (d *DB) AcceptLosses(ctx context.Context) error {
	if _, err := d.pool.Exec(ctx, `UPDATE installation SET losses_accepted_at = staffeln_now()`); err != nil {
		return fmt.Errorf("accept losses: %w", err)
	}
	return nil
}

// LossesAccepted tells whether the operator accepted them before the sweep
// began.
func (b *Beat) LossesAccepted(ctx context.Context) (accepted bool, err error) {
	const q = `SELECT coalesce(losses_accepted_at <= $1, false) FROM installation`
	if err := b.db.pool.QueryRow(ctx, q, b.Now).Scan(&accepted); err != nil {
		return false, fmt.Errorf("read whether losses are accepted: %w", err)
	}
	return accepted, nil
}

// LossesSettled ends the acceptance: the sweep has an answer about each.
func (b *Beat) LossesSettled(ctx context.Context) error {
	const q = `UPDATE installation SET losses_accepted_at = NULL WHERE losses_accepted_at <= $1`
	err := b.reigning(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, q, b.Now); return err })
	if err != nil {
		return fmt.Errorf("end the acceptance of losses: %w", err)
	}
	return nil
}
