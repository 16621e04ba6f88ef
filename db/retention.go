package db

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
)

// An AgedVolume is a volume that retention has to check, with all records that Cinder may hold a backup of.
type AgedVolume struct {
	Volume

	Links []backup.Record
}

// agedAtOnce is the number of volumes that are read at once, with their records. It takes two statements; their results are
// smaller than about ten MiB.
const agedAtOnce = 500

// Aged returns, by ID, the volumes whose oldest restore point is past the retention in force; if a volume has no retention,
// its records' own applies. Which restore points expire is not decided here. The volumes are read in chunks, because after a
// long time without a leader all of them may be aged.
func (b *Run) Aged(ctx context.Context) iter.Seq2[AgedVolume, error] {
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

// retentionInForce is the retention of the record r of the volume v, as in [backup.Retention.For]. All statements use this
// expression.
const retentionInForce = `(CASE WHEN v.retention IS NULL OR v.project_id <> r.project_id THEN r.retention
	WHEN r.planned_at < v.transferred_at THEN greatest(v.retention, r.retention) ELSE v.retention END)`

// oldestEnd is the time at which the first restore point of the volume v is past its retention. If all have the same
// retention, the oldest one decides, and an index finds it.
const oldestEnd = `(CASE WHEN v.retention IS NOT NULL AND v.transferred_at IS NULL
	THEN (SELECT min(data_timestamp) FROM records WHERE volume_id = v.id AND ` + isAvailable + `) + v.retention
	ELSE (SELECT min(r.data_timestamp + ` + retentionInForce + `) FROM records r WHERE r.volume_id = v.id AND ` + isAvailable + `) END)`

// keepFormerRetention stores, for volumes that change their project, the retention in force in the records of the former
// project where it is longer than the records' own. It must run before the volumes are written.
func keepFormerRetention(ctx context.Context, tx pgx.Tx, volumes []Volume) error {
	moving := inOrder("volumes", `id = ANY($1) AND EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS n (id, project_id)
		WHERE n.id = volumes.id AND n.project_id <> volumes.project_id)`) + `SELECT id FROM locked`
	keep := inOrder("records", `id IN (SELECT r.id FROM records r JOIN volumes v ON v.id = r.volume_id AND v.project_id = r.project_id
			WHERE v.id = ANY($1) AND `+mayBeInCinder+` AND coalesce(r.data_timestamp, r.planned_at) + v.retention > coalesce(r.data_timestamp, r.planned_at) + r.retention)`) + `
		UPDATE records r SET retention = v.retention FROM volumes v WHERE v.id = r.volume_id AND r.id IN (SELECT id FROM locked)`
	c := newColumns(2, len(volumes))
	for _, v := range volumes {
		c.add(v.ID, v.ProjectID)
	}
	moved, err := collectIDs(tx.Query(ctx, moving, c.args()...))
	if err != nil || len(moved) == 0 {
		return err
	}
	_, err = tx.Exec(ctx, keep, moved)
	return err
}

// FormerRetention returns, by volume, the longest retention of the records that these projects already have of these volumes.
// A volume that comes back to a project must not get a shorter retention through the round trip than the project was promised.
func (b *Run) FormerRetention(ctx context.Context, volumeIDs, projectIDs []string) (map[string]backup.Period, error) {
	q := `
		SELECT DISTINCT ON (r.volume_id) r.volume_id, r.retention FROM records r JOIN unnest($1::text[], $2::text[]) AS n (id, project_id)
			ON r.volume_id = n.id AND r.project_id = n.project_id
		WHERE ` + mayBeInCinder + ` ORDER BY r.volume_id, staffeln_now() + r.retention DESC`
	kept := map[string]backup.Period{}
	if len(volumeIDs) == 0 {
		return kept, nil
	}
	rows, err := b.db.pool.Query(ctx, q, volumeIDs, projectIDs)
	if err != nil {
		return nil, fmt.Errorf("read former retention of %d volumes: %w", len(volumeIDs), err)
	}
	var id string
	var retention pgtype.Interval
	if _, err := pgx.ForEachRow(rows, []any{&id, &retention}, func() error { kept[id] = fromInterval(retention); return nil }); err != nil {
		return nil, fmt.Errorf("read former retention of %d volumes: %w", len(volumeIDs), err)
	}
	return kept, nil
}

// aged returns the first aged volumes after the given ID.
func (b *Run) aged(ctx context.Context, after string) ([]AgedVolume, error) {
	const q = `
		SELECT ` + withEnds + ` FROM volumes v
		WHERE id > @after AND removal_due_at IS NULL AND ` + oldestEnd + ` <= @now
		ORDER BY id LIMIT @limit`
	links := `SELECT ` + recordColumns + ` FROM records WHERE volume_id = ANY($1) AND ` + mayBeInCinder
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
func (b *Run) RemovalDue(ctx context.Context, volumeIDs []string) error {
	const q = `UPDATE volumes SET removal_due_at = coalesce(removal_due_at, @now) WHERE id = ANY(@ids)`
	for part := range chunks(volumeIDs) {
		err := b.inTerm(ctx, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, q, pgx.NamedArgs{"now": b.Now, "ids": part})
			return err
		})
		if err != nil {
			return fmt.Errorf("mark %d volumes for removal: %w", len(part), err)
		}
	}
	return nil
}
