package db

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"staffeln/backup"
)

// Histories yields, volume by volume, the records that a decision about the volume needs, newest first. It omits volumes
// without records and volumes that are gone, except those in gone. It streams one query.
func (b *Run) Histories(ctx context.Context, gone []string) iter.Seq2[[]backup.Record, error] {
	q := `SELECT ` + recordColumns + ` FROM ` + decisive + ` WHERE v.gone_at IS NULL OR v.id = ANY($1) ORDER BY v.id, records.planned_at DESC`
	return func(yield func([]backup.Record, error) bool) {
		rows, err := b.db.pool.Query(ctx, q, gone)
		if err != nil {
			yield(nil, fmt.Errorf("read records: %w", err))
			return
		}
		defer rows.Close()
		var one []backup.Record
		for rows.Next() {
			r, err := toRecord(rows)
			if err != nil {
				yield(nil, fmt.Errorf("read records: %w", err))
				return
			}
			if len(one) > 0 && one[0].VolumeID != r.VolumeID {
				if !yield(one, nil) {
					return
				}
				one = nil
			}
			one = append(one, r)
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("read records: %w", err))
		} else if len(one) > 0 {
			yield(one, nil)
		}
	}
}

// Restoring records which backups (by Cinder's IDs) are being restored now, and that the others no longer are. While a backup
// is being restored no incremental can be based on it, and the status that a reconcile run saw may be hours old.
func (b *Run) Restoring(ctx context.Context, backupIDs []string) error {
	over := inOrder("records", `cinder_status = 'restoring' AND `+isAvailable+` AND backup_id <> ALL($1)`) + `
		UPDATE records SET cinder_status = 'available' WHERE id IN (SELECT id FROM locked)`
	begun := inOrder("records", `backup_id = ANY($1) AND `+isAvailable+` AND cinder_status <> 'restoring'`) + `
		UPDATE records SET cinder_status = 'restoring' WHERE id IN (SELECT id FROM locked)`
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, over, backupIDs); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, begun, backupIDs)
		return err
	})
	if err != nil {
		return fmt.Errorf("note %d backups that are being restored: %w", len(backupIDs), err)
	}
	return nil
}

// Plan writes new records: planned ones, and failed ones for volumes that cannot be backed up now. It writes nothing for a
// volume with a backup in progress. It returns the number of records written.
func (b *Run) Plan(ctx context.Context, records []backup.Record) (int, error) {
	q := `
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted,
			state, kind, forced_full, retention, planned_at, last_point_at, reason, reason_text, changed_at, ended_at)
		SELECT *, staffeln_now(), CASE WHEN n.` + isFailed + ` THEN staffeln_now() END FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
			$5::text[], $6::text[], $7::text[], $8::int[], $9::bool[], $10::text[], $11::text[], $12::bool[], $13::interval[], $14::timestamptz[],
			$15::timestamptz[], $16::text[], $17::text[]) AS n (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone,
			size_gib, encrypted, state, kind, forced_full, retention, planned_at, last_point_at, reason, reason_text)
		ON CONFLICT (volume_id) WHERE ` + isInProgress + ` DO NOTHING
		RETURNING state, reason`
	total := 0
	for part := range chunks(records) {
		c := newColumns(17, len(part))
		for _, r := range part {
			c.add(r.ProjectID, r.ProjectName, r.ServerID, r.ServerName, r.VolumeID, r.VolumeName, r.Zone, r.SizeGiB, r.Encrypted,
				string(r.State), string(r.Kind), r.ForcedFull, toInterval(r.Retention), r.PlannedAt, r.LastPointAt, string(r.Reason), r.ReasonText)
		}
		n, err := b.bulk(ctx, "", "records planned", q, c.args()...)
		if err != nil {
			return total, fmt.Errorf("plan %d records: %w", len(part), err)
		}
		total += n
	}
	return total, nil
}

// WithdrawAll ends planned records (by ID) that are no longer wanted, each with its reason. It skips records whose backup was
// requested meanwhile.
func (b *Run) WithdrawAll(ctx context.Context, ids []string, reasons []backup.Reason) (int, error) {
	q := inOrder("records", `id = ANY($1) AND `+isPlanned) + `
		UPDATE records SET state = $3, reason = w.reason, changed_at = staffeln_now(), ended_at = staffeln_now(), next_try_at = NULL
		FROM unnest($1::text[], $2::text[]) AS w (id, reason)
		WHERE records.id = w.id AND records.id IN (SELECT id FROM locked)
		RETURNING state, records.reason`
	if len(ids) == 0 {
		return 0, nil
	}
	n, err := b.bulk(ctx, backup.Planned, "records withdrawn", q, ids, reasons, backup.Withdrawn)
	if err != nil {
		return 0, fmt.Errorf("withdraw %d records: %w", len(ids), err)
	}
	return n, nil
}

// bulk runs one statement that changes records which are all in the state from, or creates records (from is empty). It does so
// in the run's term. The statement returns the state and reason of each record; bulk logs and counts the changes together. If
// the state machine does not allow one of them, nothing is written.
func (b *Run) bulk(ctx context.Context, from backup.State, message, q string, args ...any) (int, error) {
	type changed struct {
		State  backup.State
		Reason backup.Reason
	}
	var all []changed
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, q, args...)
		if err != nil {
			return err
		}
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[changed]); err != nil {
			return err
		}
		for _, c := range all {
			if !allowed(from, c.State) {
				return fmt.Errorf("change records from %q to %q: the state machine does not allow it", from, c.State)
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	counts := map[changed]int{}
	for _, c := range all {
		counts[c]++
	}
	for c, n := range counts {
		b.db.count(from, c.State, c.Reason, n)
		zerolog.Ctx(ctx).Info().Str("from", string(from)).Str("to", string(c.State)).Str("reason", string(c.Reason)).Int("records", n).Msg(message)
	}
	return len(all), nil
}
