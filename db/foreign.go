package db

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"staffeln/backup"
)

// foreignAtOnce is the number of volumes whose links are read at once: a volume may have a thousand.
const foreignAtOnce = 20

// RecordForeignDependents records on which restore points foreign backups build, and on which they no longer do. foreign has,
// by volume, all backups without a record that Cinder listed, of volumes with records. What we know only from a listing decides no removal:
// the worker asks Cinder again.
func (b *Run) RecordForeignDependents(ctx context.Context, foreign map[string][]backup.Link) error {
	const marked = `SELECT DISTINCT volume_id FROM records WHERE ` + hasForeignDependent
	of := maps.Clone(foreign)
	maps.DeleteFunc(of, func(_ string, links []backup.Link) bool { // a full builds on nothing
		return !slices.ContainsFunc(links, func(l backup.Link) bool { return l.Kind == backup.Incremental })
	})
	volumes, err := collectIDs(b.db.pool.Query(ctx, marked))
	if err != nil {
		return fmt.Errorf("read volumes with foreign dependents: %w", err)
	}
	volumes = slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(volumes, maps.Keys(of)))))
	for some := range slices.Chunk(volumes, foreignAtOnce) {
		if err := b.recordForeignDependents(ctx, some, of); err != nil {
			return fmt.Errorf("record foreign dependents of %d volumes: %w", len(some), err)
		}
	}
	return nil
}

func (b *Run) recordForeignDependents(ctx context.Context, volumes []string, foreign map[string][]backup.Link) error {
	links := `SELECT ` + linkColumns + ` FROM records WHERE volume_id = ANY($1) AND ` + isLink
	set := inOrder("records", `id = ANY($1) AND `+isAvailable) + `
		UPDATE records SET removal_reason = seen.reason, removal_text = '' FROM unnest($1::text[], $2::text[]) AS seen (id, reason)
		WHERE records.id = seen.id AND records.id IN (SELECT id FROM locked)`
	rows, err := b.db.pool.Query(ctx, links, volumes)
	if err != nil {
		return err
	}
	records, err := pgx.CollectRows(rows, toLink)
	if err != nil {
		return err
	}
	ours, all := map[string]bool{}, map[string][]backup.Link{}
	for _, r := range records {
		if l, ok := r.Link(backup.Retention{}); ok && r.State != backup.Lost {
			ours[r.BackupID], all[r.VolumeID] = true, append(all[r.VolumeID], l)
		}
	}
	on := map[string]bool{}
	for _, volume := range volumes {
		for _, l := range foreign[volume] {
			if !ours[l.BackupID] { // it may have got a record since the listing
				all[volume] = append(all[volume], l)
			}
		}
		maps.Copy(on, backup.ForeignDependents(all[volume]))
	}
	c := newColumns(2, len(records))
	for _, r := range records {
		if why := r.RemovalReasonSeen(on[r.BackupID], true); why != r.RemovalReason {
			c.add(r.ID, string(why))
		}
	}
	if len(c[0]) > 0 {
		zerolog.Ctx(ctx).Info().Int("records", len(c[0])).Str("reason", string(backup.ForeignDependent)).Msg("foreign dependents of restore points changed")
	}
	return b.inTerm(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, set, c.args()...); return err })
}
