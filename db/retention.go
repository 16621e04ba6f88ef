package db

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// An AgedVolume is one that is worth a closer look, with all records of which
// Cinder may hold something.
type AgedVolume struct {
	Volume

	Links []backup.Record
}

// agedAtOnce is how many volumes are read at once, with their records: two
// statements each, whose answer stays below some ten MiB.
const agedAtOnce = 500

// Aged returns the volumes whose oldest restore point is past the retention in
// force (or, where the volume has none, any past its record's own), by ID. Which
// points go is not decided here. They are read in chunks: a leader that was away
// for long finds all of them aged.
func (b *Beat) Aged(ctx context.Context) iter.Seq2[AgedVolume, error] {
	return func(yield func(AgedVolume, error) bool) {
		for after := ""; ; {
			part, err := b.aged(ctx, after)
			if err != nil {
				yield(AgedVolume{}, err)
				return
			}
			for _, v := range part {
				if !yield(v, nil) {
					return
				}
			}
			if len(part) < agedAtOnce {
				return
			}
			after = part[len(part)-1].ID
		}
	}
}

// aged returns the first of them after the given ID.
func (b *Beat) aged(ctx context.Context, after string) ([]AgedVolume, error) {
	const q = `
		SELECT ` + volumeColumns + ` FROM volumes v
		WHERE id > @after AND removal_due_at IS NULL AND CASE WHEN v.retention IS NOT NULL
			THEN (SELECT min(data_timestamp) FROM records WHERE volume_id = v.id AND state = 'available') + v.retention <= @now
			ELSE (SELECT min(data_timestamp + r.retention) FROM records r WHERE volume_id = v.id AND state = 'available') <= @now END
		ORDER BY id LIMIT @limit`
	const links = `SELECT ` + recordColumns + ` FROM records WHERE volume_id = ANY($1) AND ` + mayBeHeld
	rows, err := b.db.pool.Query(ctx, q, pgx.NamedArgs{"now": b.Now, "after": after, "limit": agedAtOnce})
	if err != nil {
		return nil, fmt.Errorf("read aged volumes: %w", err)
	}
	volumes, err := pgx.CollectRows(rows, toVolume)
	if err != nil {
		return nil, fmt.Errorf("read aged volumes: %w", err)
	}
	aged, at, ids := make([]AgedVolume, len(volumes)), make(map[string]int, len(volumes)), make([]string, len(volumes))
	for i, v := range volumes {
		aged[i].Volume, at[v.ID], ids[i] = v, i, v.ID
	}
	records, err := collectRecords(b.db.pool.Query(ctx, links, ids))
	if err != nil {
		return nil, fmt.Errorf("read links of %d aged volumes: %w", len(ids), err)
	}
	for _, r := range records {
		v := &aged[at[r.VolumeID]]
		v.Links = append(v.Links, r)
	}
	return aged, nil
}

// RemovalDue marks volumes for the retention task.
func (b *Beat) RemovalDue(ctx context.Context, volumeIDs []string) error {
	const q = `UPDATE volumes SET removal_due_at = coalesce(removal_due_at, @now) WHERE id = ANY(@ids)`
	for part := range chunks(volumeIDs) {
		err := b.reigning(ctx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, q, pgx.NamedArgs{"now": b.Now, "ids": part})
			return err
		})
		if err != nil {
			return fmt.Errorf("mark %d volumes for removal: %w", len(part), err)
		}
	}
	return nil
}
