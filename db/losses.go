package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ConfirmLost is the operator's word that restore points, servers or volumes
// are missing in such numbers for a reason that is known: the next sweep that
// begins asks Cinder about each restore point, however many there are, and
// Barbican about their secrets, and records the loss of those that they no longer
// have; the next plans believe what Nova and Cinder say by ID about servers and
// volumes.
func (d *DB) ConfirmLost(ctx context.Context) error {
	if _, err := d.pool.Exec(ctx, `UPDATE installation SET losses_confirmed_at = staffeln_now(), absences_confirmed_at = staffeln_now()`); err != nil {
		return fmt.Errorf("accept losses: %w", err)
	}
	return nil
}

// LossesAccepted tells whether the operator accepted them before the sweep
// began.
func (b *Beat) LossesAccepted(ctx context.Context) (accepted bool, err error) {
	return b.accepted(ctx, `SELECT coalesce(losses_confirmed_at <= $1, false) FROM installation`)
}

// AbsencesAccepted tells whether the operator accepted them before the plan began.
func (b *Beat) AbsencesAccepted(ctx context.Context) (accepted bool, err error) {
	return b.accepted(ctx, `SELECT coalesce(absences_confirmed_at <= $1, false) FROM installation`)
}

func (b *Beat) accepted(ctx context.Context, q string) (accepted bool, err error) {
	if err := b.db.pool.QueryRow(ctx, q, b.Now).Scan(&accepted); err != nil {
		return false, fmt.Errorf("read what the operator accepts: %w", err)
	}
	return accepted, nil
}

// LossesSettled ends the acceptance: the sweep has an answer about each.
func (b *Beat) LossesSettled(ctx context.Context) error {
	return b.settle(ctx, `UPDATE installation SET losses_confirmed_at = NULL WHERE losses_confirmed_at <= $1`)
}

// AbsencesSettled ends the acceptance: the plan has an answer about each.
func (b *Beat) AbsencesSettled(ctx context.Context) error {
	return b.settle(ctx, `UPDATE installation SET absences_confirmed_at = NULL WHERE absences_confirmed_at <= $1`)
}

func (b *Beat) settle(ctx context.Context, q string) error {
	err := b.reigning(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, q, b.Now); return err })
	if err != nil {
		return fmt.Errorf("end what the operator accepted: %w", err)
	}
	return nil
}
