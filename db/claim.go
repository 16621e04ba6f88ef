package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Claim is the lease on one volume's row that lets one handler work on it.
// Every later write names its token: a late twin writes nothing.
type Claim struct {
	db       *DB
	VolumeID string
	token    string
	Now      time.Time // the database's clock when the claim was taken
	Until    time.Time // no call to the cloud may outlast it
}

// ErrClaimed says that another handler holds the volume's lease.
var ErrClaimed = errors.New("another handler holds the volume's lease")

// ErrStale says that a write changed nothing, because the lease ran out or the
// record moved on: whoever sees it stops.
var ErrStale = errors.New("the lease ran out or the record moved on")

// Claim takes the volume's lease for the given time, or returns [ErrClaimed].
func (d *DB) Claim(ctx context.Context, volumeID, kind string, lease time.Duration) (*Claim, error) {
	const q = `
		UPDATE volumes SET lease_token = gen_random_uuid()::text, lease_until = staffeln_now() + $3, lease_kind = $2
		WHERE id = $1 AND (lease_until IS NULL OR lease_until <= staffeln_now())
		RETURNING lease_token, lease_until`
	c := &Claim{db: d, VolumeID: volumeID}
	err := d.pool.QueryRow(ctx, q, volumeID, kind, lease).Scan(&c.token, &c.Until)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrClaimed
	}
	if err != nil {
		return nil, fmt.Errorf("claim volume %s: %w", volumeID, err)
	}
	c.Until = c.Until.UTC()
	c.Now = c.Until.Add(-lease)
	return c, nil
}

// Release gives the lease back; one that ran out and was taken by another
// handler is left alone.
func (c *Claim) Release(ctx context.Context) error {
	const q = `UPDATE volumes SET lease_token = NULL, lease_until = NULL, lease_kind = NULL WHERE id = $1 AND lease_token = $2`
	if _, err := c.db.pool.Exec(ctx, q, c.VolumeID, c.token); err != nil {
		return fmt.Errorf("release volume %s: %w", c.VolumeID, err)
	}
	return nil
}

// Volume returns what the plans remember of the claimed volume.
func (c *Claim) Volume(ctx context.Context) (Volume, error) {
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

// Records returns the records that a decision about the claimed volume needs.
func (c *Claim) Records(ctx context.Context) ([]backup.Record, error) {
	const q = `SELECT ` + recordColumns + ` FROM ` + decisive + ` WHERE v.id = $1`
	records, err := collectRecords(c.db.pool.Query(ctx, q, c.VolumeID))
	if err != nil {
		return nil, fmt.Errorf("read records of volume %s: %w", c.VolumeID, err)
	}
	return records, nil
}

// mayBeHeld holds for records that Cinder may hold something of.
const mayBeHeld = `(state IN ('planned', 'creating', 'overdue', 'available', 'deleting', 'undeletable', 'lost') OR (state = 'failed' AND backup_id IS NOT NULL))`

// Links returns all records of the claimed volume that Cinder may hold
// something of.
func (c *Claim) Links(ctx context.Context) ([]backup.Record, error) {
	const q = `SELECT ` + recordColumns + ` FROM records WHERE volume_id = $1 AND ` + mayBeHeld + ` ORDER BY beat, id`
	records, err := collectRecords(c.db.pool.Query(ctx, q, c.VolumeID))
	if err != nil {
		return nil, fmt.Errorf("read links of volume %s: %w", c.VolumeID, err)
	}
	return records, nil
}

// RemovalDone forgets that a removal was due; [ErrStale] where the lease ran out.
func (c *Claim) RemovalDone(ctx context.Context) error {
	const q = `UPDATE volumes SET removal_due_at = NULL, removal_failures = 0, removal_next_try_at = NULL
		WHERE id = $1 AND lease_token = $2 AND lease_until > staffeln_now()`
	if err := c.own(ctx, q, c.VolumeID, c.token); err != nil {
		return fmt.Errorf("end removal of volume %s: %w", c.VolumeID, err)
	}
	return nil
}

// RemovalLater leaves all removals of the volume to the given time: what they
// met only waiting can mend.
func (c *Claim) RemovalLater(ctx context.Context, again time.Time) error {
	const q = `UPDATE volumes SET removal_failures = removal_failures + 1, removal_next_try_at = $3
		WHERE id = $1 AND lease_token = $2 AND lease_until > staffeln_now()`
	if err := c.own(ctx, q, c.VolumeID, c.token, again); err != nil {
		return fmt.Errorf("put off removals of volume %s: %w", c.VolumeID, err)
	}
	return nil
}

// own writes the volume's row for whoever holds its lease.
func (c *Claim) own(ctx context.Context, q string, args ...any) error {
	tag, err := c.db.pool.Exec(ctx, q, args...)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrStale
	}
	return err
}

// decisive joins volumes (v) with the records that [backup.Next] needs: from
// the newest available full on, newest first, and in any case the one in
// progress (the clock may have been set back since). Where there is no such
// full, the newest four hundred tell enough: of the time before the last
// success only its beat matters, and failures are delayed up to the interval.
const decisive = `volumes v LEFT JOIN LATERAL (
	SELECT f.beat FROM records f WHERE f.volume_id = v.id AND f.state = 'available' AND f.kind = 'full' AND f.project_id = v.project_id
		ORDER BY f.beat DESC LIMIT 1) newest ON true CROSS JOIN LATERAL (
	SELECT * FROM records r WHERE r.volume_id = v.id AND r.state <> 'withdrawn'
		AND r.beat >= least(coalesce(newest.beat, '-infinity'),
			(SELECT p.beat FROM records p WHERE p.volume_id = v.id AND p.state IN ('planned', 'creating', 'overdue')))
	ORDER BY r.beat DESC LIMIT CASE WHEN newest.beat IS NULL THEN 400 END) records`
