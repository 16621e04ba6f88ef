package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Lease is the lease on one volume's row. Only its holder may work on the volume. Every later write checks its token, so a
// handler that lost the lease writes nothing.
type Lease struct {
	db       *DB
	VolumeID string
	token    string
	Now      time.Time // the database's clock when the lease was taken
	Until    time.Time // no call to the cloud may outlast it
}

// ErrLeased means that another handler holds the volume's lease.
var ErrLeased = errors.New("another handler holds the volume's lease")

// ErrStale means that a write changed nothing, because the lease ran out or the record was changed. The caller stops.
var ErrStale = errors.New("the lease ran out or the record moved on")

// Lease acquires the volume's lease for the given time, or returns [ErrLeased].
func (d *DB) Lease(ctx context.Context, volumeID, kind string, lease time.Duration) (*Lease, error) {
	const q = `
		UPDATE volumes SET lease_token = gen_random_uuid()::text, lease_until = staffeln_now() + $3, lease_kind = $2
		WHERE id = $1 AND (lease_until IS NULL OR lease_until <= staffeln_now())
		RETURNING lease_token, lease_until`
	c := &Lease{db: d, VolumeID: volumeID}
	err := d.pool.QueryRow(ctx, q, volumeID, kind, lease).Scan(&c.token, &c.Until)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrLeased
	}
	if err != nil {
		return nil, fmt.Errorf("lease volume %s: %w", volumeID, err)
	}
	c.Until = c.Until.UTC()
	c.Now = c.Until.Add(-lease)
	return c, nil
}

// Release releases the lease. If it ran out and another handler took it, Release does nothing.
func (c *Lease) Release(ctx context.Context) error {
	const q = `UPDATE volumes SET lease_token = NULL, lease_until = NULL, lease_kind = NULL WHERE id = $1 AND lease_token = $2`
	if _, err := c.db.pool.Exec(ctx, q, c.VolumeID, c.token); err != nil {
		return fmt.Errorf("release volume %s: %w", c.VolumeID, err)
	}
	return nil
}

// Volume returns the stored state of the leased volume.
func (c *Lease) Volume(ctx context.Context) (Volume, error) {
	rows, err := c.db.pool.Query(ctx, `SELECT `+withEnds+` FROM volumes WHERE id = $1`, c.VolumeID)
	if err != nil {
		return Volume{}, fmt.Errorf("read volume %s: %w", c.VolumeID, err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, toVolume)
	if err != nil {
		return v, fmt.Errorf("read volume %s: %w", c.VolumeID, err)
	}
	return v, nil
}

// Records returns the records that a decision about the leased volume needs.
func (c *Lease) Records(ctx context.Context) ([]backup.Record, error) {
	q := `SELECT ` + recordColumns + ` FROM ` + decisive + ` WHERE v.id = $1`
	records, err := collectRecords(c.db.pool.Query(ctx, q, c.VolumeID))
	if err != nil {
		return nil, fmt.Errorf("read records of volume %s: %w", c.VolumeID, err)
	}
	return records, nil
}

// Links returns all records of the leased volume that Cinder may hold a backup of.
func (c *Lease) Links(ctx context.Context) ([]backup.Record, error) {
	q := `SELECT ` + recordColumns + ` FROM records WHERE volume_id = $1 AND ` + mayBeInCinder + ` ORDER BY planned_at, id`
	records, err := collectRecords(c.db.pool.Query(ctx, q, c.VolumeID))
	if err != nil {
		return nil, fmt.Errorf("read links of volume %s: %w", c.VolumeID, err)
	}
	return records, nil
}

// RemovalDone clears the volume's due removal. It returns [ErrStale] if the lease ran out.
func (c *Lease) RemovalDone(ctx context.Context) error {
	if err := c.updateVolume(ctx, `removal_due_at = NULL, removal_failures = 0, removal_next_try_at = NULL`, nil); err != nil {
		return fmt.Errorf("end removal of volume %s: %w", c.VolumeID, err)
	}
	return nil
}

// RemovalLater postpones all removals of the volume to the given time, after failures that only waiting can fix.
func (c *Lease) RemovalLater(ctx context.Context, retryAt time.Time) error {
	const set = `removal_failures = removal_failures + 1, removal_next_try_at = @again`
	if err := c.updateVolume(ctx, set, pgx.NamedArgs{"again": retryAt}); err != nil {
		return fmt.Errorf("put off removals of volume %s: %w", c.VolumeID, err)
	}
	return nil
}

// updateVolume updates columns of the volume while the lease is held.
func (c *Lease) updateVolume(ctx context.Context, set string, args pgx.NamedArgs) error {
	tag, err := c.db.pool.Exec(ctx, `UPDATE volumes SET `+set+` WHERE `+leaseHolds, c.args(args))
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrStale
	}
	return err
}
