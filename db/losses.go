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

// LossesConfirmed tells whether the operator accepted them before the sweep
// began.
func (b *Run) LossesConfirmed(ctx context.Context) (accepted bool, err error) {
	return b.confirmed(ctx, `SELECT coalesce(losses_confirmed_at <= $1, false) FROM installation`)
}

// AbsencesConfirmed tells whether the operator accepted them before the plan began.
func (b *Run) AbsencesConfirmed(ctx context.Context) (accepted bool, err error) {
	return b.confirmed(ctx, `SELECT coalesce(absences_confirmed_at <= $1, false) FROM installation`)
}

func (b *Run) confirmed(ctx context.Context, q string) (accepted bool, err error) {
	if err := b.db.pool.QueryRow(ctx, q, b.Now).Scan(&accepted); err != nil {
		return false, fmt.Errorf("read what the operator accepts: %w", err)
	}
	return accepted, nil
}

// EndLossConfirmation ends the acceptance: the sweep has an answer about each.
func (b *Run) EndLossConfirmation(ctx context.Context) error {
	return b.settle(ctx, `UPDATE installation SET losses_confirmed_at = NULL WHERE losses_confirmed_at <= $1`)
}

// EndAbsenceConfirmation ends the acceptance: the plan has an answer about each.
func (b *Run) EndAbsenceConfirmation(ctx context.Context) error {
	return b.settle(ctx, `UPDATE installation SET absences_confirmed_at = NULL WHERE absences_confirmed_at <= $1`)
}

func (b *Run) settle(ctx context.Context, q string) error {
	err := b.inTerm(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, q, b.Now); return err })
	if err != nil {
		return fmt.Errorf("end what the operator accepted: %w", err)
	}
	return nil
}
