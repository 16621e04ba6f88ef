package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Aged returns the volumes whose oldest restore point is past the retention in
// force (or, where the volume has none, any past its record's own): those that
// are worth a closer look. Which points go is not decided here.
func (b *Beat) Aged(ctx context.Context) ([]Volume, error) {
	const q = `
		SELECT ` + volumeColumns + ` FROM volumes v
		WHERE removal_due_at IS NULL AND CASE WHEN v.retention IS NOT NULL
			THEN (SELECT min(data_timestamp) FROM records WHERE volume_id = v.id AND state = 'available') + v.retention <= @now
			ELSE (SELECT min(data_timestamp + r.retention) FROM records r WHERE volume_id = v.id AND state = 'available') <= @now END`
	rows, err := b.db.pool.Query(ctx, q, pgx.NamedArgs{"now": b.Now})
	if err != nil {
		return nil, fmt.Errorf("read aged volumes: %w", err)
	}
	volumes, err := pgx.CollectRows(rows, toVolume)
	if err != nil {
		return nil, fmt.Errorf("read aged volumes: %w", err)
	}
	return volumes, nil
}

// LinksOf returns all records of one volume that Cinder may hold something of.
func (b *Beat) LinksOf(ctx context.Context, volumeID string) ([]backup.Record, error) {
	return (&Claim{db: b.db, VolumeID: volumeID}).Links(ctx)
}

// RemovalDue marks volumes for the retention task.
func (b *Beat) RemovalDue(ctx context.Context, volumeIDs []string) error {
	const q = `UPDATE volumes SET removal_due_at = coalesce(removal_due_at, @now) WHERE id = ANY(@ids)`
	err := b.reigning(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, q, pgx.NamedArgs{"now": b.Now, "ids": volumeIDs})
		return err
	})
	if err != nil {
		return fmt.Errorf("mark %d volumes for removal: %w", len(volumeIDs), err)
	}
	return nil
}
