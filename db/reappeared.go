package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Removed returns those of the backups that were removed, by their records, before the reconcile run began.
func (b *Run) Removed(ctx context.Context, backupIDs []string) ([]string, error) {
	ids, err := collectIDs(b.db.pool.Query(ctx, `SELECT backup_id FROM records WHERE backup_id = ANY($1) AND `+isDeleted+` AND changed_at < $2`, backupIDs, b.Now))
	if err != nil {
		return nil, fmt.Errorf("read removed backups: %w", err)
	}
	return ids, nil
}

// Reappeared reverts the removal of a backup that Cinder still has. Retention removes it once more.
func (b *Run) Reappeared(ctx context.Context, backupID string) error {
	const q = `UPDATE records SET state = CASE WHEN available_at IS NULL THEN $3 ELSE $4 END, reason = 'reappeared',
			changed_at = staffeln_now(), removal_report_id = NULL
		WHERE backup_id = $1 AND ` + isDeleted + ` AND changed_at < $2 RETURNING state, reason`
	if _, err := b.bulk(ctx, backup.Deleted, "removed backup found again", q, backupID, b.Now, backup.Failed, backup.Available); err != nil {
		return fmt.Errorf("take back the removal of backup %s: %w", backupID, err)
	}
	return nil
}

// Spoilt returns a finding for each restore point that now has the status error in Cinder. It cannot be restored, and it is
// neither counted as a restore point nor removed until an operator has checked it.
func (b *Run) Spoilt(ctx context.Context) ([]backup.Finding, error) {
	q := `
		SELECT 'status_unknown' AS reason, project_id, backup_id AS object, backup_name AS object_name, volume_id,
			format('restore point %s of volume %s was available, and Cinder reports the status error now: check it; openstack volume backup set --state available makes it a restore point again, or delete it',
				` + sqlNamed(`backup_name`, `backup_id`) + `, ` + sqlNamed(`volume_name`, `volume_id`) + `) AS detail
		FROM records WHERE ` + isAvailable + ` AND cinder_status = 'error' AND last_seen_at = $1`
	rows, err := b.db.pool.Query(ctx, q, b.Now)
	if err != nil {
		return nil, fmt.Errorf("read spoilt restore points: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[backup.Finding])
	if err != nil {
		return nil, fmt.Errorf("read spoilt restore points: %w", err)
	}
	return found, nil
}
