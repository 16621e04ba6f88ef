package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ConfirmLost records the operator's confirmation that many restore points, servers or volumes are missing for a known reason.
// The next reconcile run that begins asks Cinder about every missing restore point and Barbican about their secrets, without
// a limit on their number, and records the loss of those that are gone. The next plans accept the responses of Nova and Cinder
// by ID about servers and volumes.
func (d *DB) ConfirmLost(ctx context.Context) error {
	if _, err := d.pool.Exec(ctx, `UPDATE installation SET losses_confirmed_at = staffeln_now(), absences_confirmed_at = staffeln_now()`); err != nil {
		return fmt.Errorf("confirm losses: %w", err)
	}
	return nil
}

// LossesConfirmed reports whether the operator confirmed the losses before the reconcile run began.
func (b *Run) LossesConfirmed(ctx context.Context) (confirmed bool, err error) {
	return b.confirmed(ctx, `SELECT coalesce(losses_confirmed_at <= $1, false) FROM installation`)
}

// AbsencesConfirmed reports whether the operator confirmed the absences before the plan began.
func (b *Run) AbsencesConfirmed(ctx context.Context) (confirmed bool, err error) {
	return b.confirmed(ctx, `SELECT coalesce(absences_confirmed_at <= $1, false) FROM installation`)
}

func (b *Run) confirmed(ctx context.Context, q string) (confirmed bool, err error) {
	if err := b.db.pool.QueryRow(ctx, q, b.Now).Scan(&confirmed); err != nil {
		return false, fmt.Errorf("read what the operator confirmed: %w", err)
	}
	return confirmed, nil
}

// EndLossConfirmation ends the confirmation: the reconcile run has a response about each restore point.
func (b *Run) EndLossConfirmation(ctx context.Context) error {
	return b.endConfirmation(ctx, `UPDATE installation SET losses_confirmed_at = NULL WHERE losses_confirmed_at <= $1`)
}

// EndAbsenceConfirmation ends the confirmation: the plan has a response about each server and volume.
func (b *Run) EndAbsenceConfirmation(ctx context.Context) error {
	return b.endConfirmation(ctx, `UPDATE installation SET absences_confirmed_at = NULL WHERE absences_confirmed_at <= $1`)
}

func (b *Run) endConfirmation(ctx context.Context, q string) error {
	err := b.inTerm(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, q, b.Now); return err })
	if err != nil {
		return fmt.Errorf("end the operator's confirmation: %w", err)
	}
	return nil
}
