package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"staffeln/backup"
)

var reappear = inOrder("records", `backup_id = ANY($1) AND `+isLost) + `
	UPDATE records SET state = $2, reason = 'reappeared', changed_at = staffeln_now(), removal_report_id = NULL
	WHERE id IN (SELECT id FROM locked) RETURNING state, reason`

// Seen marks the records of the backups on one page of a reconcile run as seen and stores Cinder's status of them. A refusal of a
// removal because of dependents is over where Cinder reports none ([backup.Record.RemovalReasonSeen]). It returns the IDs of the
// backups without a record. A lost record whose backup is seen becomes available again.
func (b *Run) Seen(ctx context.Context, page []backup.Backup) (unknown []string, err error) {
	mark := inOrder("records", `backup_id = ANY($2)`) + `
		UPDATE records SET last_seen_at = $1, cinder_status = s.status,
			removal_reason = CASE WHEN ` + isAvailable + ` AND removal_reason = $5 AND NOT s.dependents THEN '' ELSE removal_reason END
		FROM unnest($2::text[], $3::text[], $4::bool[]) AS s (id, status, dependents) WHERE backup_id = s.id AND (SELECT count(*) FROM locked) > 0`
	const missing = `
		SELECT s.id FROM unnest($1::text[]) AS s (id) WHERE NOT EXISTS (SELECT FROM records WHERE backup_id = s.id)`
	ids, statuses, dependents := make([]string, len(page)), make([]string, len(page)), make([]bool, len(page))
	for i, p := range page {
		ids[i], statuses[i], dependents[i] = p.ID, string(p.Status), p.HasDependents
	}
	err = b.inTerm(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, mark, b.Now, ids, statuses, dependents, backup.HasDependents); err != nil {
			return err
		}
		unknown, err = collectIDs(tx.Query(ctx, missing, ids))
		return err
	})
	if err == nil {
		_, err = b.bulk(ctx, backup.Lost, "records found again", reappear, ids, backup.Available)
	}
	if err != nil {
		return nil, fmt.Errorf("mark %d backups as seen: %w", len(page), err)
	}
	return unknown, nil
}

// Missing returns the available records that did not change since the reconcile run began and whose backups the run did not
// see, and the total number of available records. If more than ten and more than one percent are missing, the losses are not
// accepted without the operator's confirmation. Then Missing returns only one record more than this limit, unless all is set.
func (b *Run) Missing(ctx context.Context, all bool) (missing []backup.Record, available int, err error) {
	const q = `SELECT ` + recordColumns + ` FROM records
		WHERE ` + isAvailable + ` AND changed_at < $1 AND (last_seen_at IS NULL OR last_seen_at < $1) ORDER BY id LIMIT CASE WHEN $3 THEN NULL ELSE $2::bigint END`
	err = b.db.pool.QueryRow(ctx, `SELECT count(*) FROM records WHERE `+isAvailable).Scan(&available)
	if err == nil {
		missing, err = collectRecords(b.db.pool.Query(ctx, q, b.Now, max(10, available/100)+1, all))
	}
	if err != nil {
		return nil, 0, fmt.Errorf("read records that the reconcile run missed: %w", err)
	}
	return missing, available, nil
}

// Lose records that Cinder, asked by ID, no longer has the backup of an available record. It skips a record that changed since
// the reconcile run began.
func (b *Run) Lose(ctx context.Context, recordID string) error {
	const q = `
		UPDATE records SET state = $3, reason = 'removed_by_others', changed_at = staffeln_now()
		WHERE id = $1 AND ` + isAvailable + ` AND changed_at < $2 RETURNING state, reason`
	if _, err := b.bulk(ctx, backup.Available, "records lost", q, recordID, b.Now, backup.Lost); err != nil {
		return fmt.Errorf("lose record %s: %w", recordID, err)
	}
	return nil
}

// ByID returns a record; ok is false if there is none.
func (b *Run) ByID(ctx context.Context, recordID string) (r backup.Record, ok bool, err error) {
	const q = `SELECT ` + recordColumns + ` FROM records WHERE id = $1`
	// the ID may come from a backup's tag, which tenants can write
	records, err := collectRecords(b.db.pool.Query(ctx, q, storable(recordID)))
	if err != nil {
		return r, false, fmt.Errorf("read record: %w", err)
	}
	if len(records) == 0 {
		return r, false, nil
	}
	return records[0], true, nil
}

// Twin creates a record for a backup that carries the tag of record r, although r has another backup, or ended without one
// before the backup was seen. An available backup becomes a restore point, a failed one a leftover.
func (b *Run) Twin(ctx context.Context, r backup.Record, twin backup.Backup) error {
	const q = `
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind,
			retention, planned_at, requested_at, last_requested_at, changed_at, available_at, ended_at, backup_id, backup_name, cinder_status, data_timestamp, cinder_timestamp, reason, reason_text)
		SELECT project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, @size, encrypted, @state, @kind,
			retention, planned_at, requested_at, last_requested_at, staffeln_now(), CASE WHEN @made THEN staffeln_now() END, staffeln_now(), @backup, @name, @status,
			` + boundedTime + `, @data, 'twin_backup', @reason
		FROM records WHERE id = @id
		ON CONFLICT DO NOTHING RETURNING state, reason`
	state := backup.Available
	if twin.Status == backup.StatusError {
		state = backup.Failed
	}
	args := pgx.NamedArgs{
		"id": r.ID, "backup": twin.ID, "size": twin.SizeGiB, "kind": kindOf(twin), "name": storable(twin.Name), "data": dataTime(twin), "state": state, "made": state == backup.Available,
		"status": twin.Status, "reason": storable(backup.WithoutAddresses(twin.FailReason)),
	}
	if _, err := b.bulk(ctx, "", "twin recorded", q, args); err != nil {
		return fmt.Errorf("record twin %s of record %s: %w", twin.ID, r.ID, err)
	}
	return nil
}

// Lost returns a finding for each restore point that others removed while its retention was not over. Nobody misses the
// expired ones.
func (b *Run) Lost(ctx context.Context) ([]backup.Finding, error) {
	q := `
		SELECT 'removed_by_others' AS reason, r.project_id, r.backup_id AS object, r.backup_name AS object_name, r.volume_id,
			format('restore point of %s, of volume %s; found missing at %s', to_char(r.data_timestamp AT TIME ZONE 'UTC', $2),
				` + sqlNamed(`r.volume_name`, `r.volume_id`) + `, to_char(r.changed_at AT TIME ZONE 'UTC', $2)) AS detail
		FROM records r JOIN volumes v ON v.id = r.volume_id
		WHERE ` + isLost + ` AND r.reason <> 'project_gone' AND r.data_timestamp + ` + retentionInForce + ` > $1`
	rows, err := b.db.pool.Query(ctx, q, b.Now, `YYYY-MM-DD"T"HH24:MI:SS"Z"`)
	if err != nil {
		return nil, fmt.Errorf("read lost records: %w", err)
	}
	lost, err := pgx.CollectRows(rows, pgx.RowToStructByName[backup.Finding])
	if err != nil {
		return nil, fmt.Errorf("read lost records: %w", err)
	}
	return lost, nil
}

// Forget deletes history before the given time: records without a backup in Cinder, operator actions, and delete checks. A
// restore point that others removed is kept as long as incrementals may depend on it: without its record they would seem
// restorable.
func (b *Run) Forget(ctx context.Context, before time.Time) (int, error) {
	q := inOrder("records", `id IN (SELECT id FROM records past
			WHERE `+isPast+` AND changed_at < $1 AND NOT `+isLeftover+`
				AND (NOT `+isLost+` OR NOT EXISTS (
					SELECT FROM records above WHERE above.volume_id = past.volume_id AND above.project_id = past.project_id
						AND above.kind = 'incremental' AND `+isInCinder+` AND above.data_timestamp >= past.data_timestamp
						AND NOT EXISTS (
							SELECT FROM records base WHERE base.volume_id = past.volume_id AND base.project_id = past.project_id AND base.kind = 'full'
								AND base.available_at IS NOT NULL AND base.data_timestamp > past.data_timestamp AND base.data_timestamp < above.data_timestamp)))
			LIMIT $2)`) + `DELETE FROM records WHERE id IN (SELECT id FROM locked)`
	forgotten, err := b.forget(ctx, q, before)
	if err != nil {
		return forgotten, fmt.Errorf("forget records: %w", err)
	}
	err = b.inTerm(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM audit WHERE at < $1`, before); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM delete_checks WHERE last_at < $1`, before)
		return err
	})
	if err != nil {
		return forgotten, fmt.Errorf("forget what operators did, and who asked for deletions: %w", err)
	}
	if forgotten > 0 {
		zerolog.Ctx(ctx).Info().Int("records", forgotten).Time("before", before).Msg("history forgotten")
	}
	return forgotten, nil
}

// forgetAtOnce is the number of rows that one statement deletes. It keeps locks short.
const forgetAtOnce = 10_000

// forget repeats a statement that deletes a limited number of rows until no row is left, and returns how many it deleted. It
// appends the limit to the arguments.
func (b *Run) forget(ctx context.Context, q string, args ...any) (forgotten int, err error) {
	args = append(slices.Clone(args), forgetAtOnce)
	for more := true; more && err == nil; {
		err = b.inTerm(ctx, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, q, args...)
			more = tag.RowsAffected() == forgetAtOnce
			forgotten += int(tag.RowsAffected())
			return err
		})
	}
	return forgotten, err
}
