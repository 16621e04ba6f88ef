package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// unseen holds for records that Cinder should hold a backup of, that did not change since the reconcile run began, and whose
// backup the run did not see.
var unseen = hasBackup + `
	AND changed_at < $1 AND (last_seen_at IS NULL OR last_seen_at < $1)`

// UnseenProjects returns the projects of unseen records.
func (b *Run) UnseenProjects(ctx context.Context) ([]string, error) {
	ids, err := collectIDs(b.db.pool.Query(ctx, `SELECT DISTINCT project_id FROM records WHERE `+unseen+` ORDER BY 1`, b.Now))
	if err != nil {
		return nil, fmt.Errorf("read projects of unseen backups: %w", err)
	}
	return ids, nil
}

// Unseen returns the unseen records of a project.
func (b *Run) Unseen(ctx context.Context, projectID string) ([]backup.Record, error) {
	records, err := collectRecords(b.db.pool.Query(ctx, `SELECT `+recordColumns+` FROM records WHERE project_id = $2 AND `+unseen+` ORDER BY id`, b.Now, projectID))
	if err != nil {
		return nil, fmt.Errorf("read unseen backups of project %s: %w", projectID, err)
	}
	return records, nil
}

// ClosePurged ends records of projects that are gone together with their backups. It skips records that changed since the
// reconcile run began.
func (b *Run) ClosePurged(ctx context.Context, recordIDs []string) error {
	for _, step := range []struct {
		from, to backup.State
		set      string
	}{
		{backup.Available, backup.Lost, `reason = 'project_gone'`},
		{backup.Deleting, backup.Deleted, `removal_reason = 'project_gone', cinder_status = 'deleted', next_try_at = NULL`},
		{backup.Undeletable, backup.Deleted, `removal_reason = 'project_gone', cinder_status = 'deleted', next_try_at = NULL`},
		{backup.Failed, backup.Failed, `backup_id = NULL, next_try_at = NULL`},
	} {
		q := inOrder("records", `id = ANY($1) AND state = $3 AND changed_at < $2`) + `
			UPDATE records SET state = $4, changed_at = staffeln_now(), ` + step.set + `
			WHERE id IN (SELECT id FROM locked) RETURNING state, CASE WHEN ` + isDeleted + ` THEN removal_reason ELSE reason END AS reason`
		if _, err := b.bulk(ctx, step.from, "records of purged projects ended", q, recordIDs, b.Now, step.from, step.to); err != nil {
			return fmt.Errorf("end %d records of purged projects: %w", len(recordIDs), err)
		}
	}
	return nil
}

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
	const q = `
		SELECT 'status_unknown' AS reason, project_id, backup_id AS object, volume_id,
			format('restore point %s of volume %s (%s) was available, and Cinder calls it an error now: look at it; openstack volume backup set --state available makes it one again, or delete it',
				backup_id, volume_id, volume_name) AS detail
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
