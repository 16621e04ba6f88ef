package db

import (
	"context"
	"fmt"

	"staffeln/backup"
)

// unlisted holds for records that Cinder should hold a backup of, that did not change since the reconcile run began, and whose
// backup the run did not see.
var unlisted = hasBackup + `
	AND changed_at < $1 AND (last_seen_at IS NULL OR last_seen_at < $1)`

// UnlistedProjects returns the projects of unlisted records.
func (b *Run) UnlistedProjects(ctx context.Context) ([]string, error) {
	ids, err := collectIDs(b.db.pool.Query(ctx, `SELECT DISTINCT project_id FROM records WHERE `+unlisted+` ORDER BY 1`, b.Now))
	if err != nil {
		return nil, fmt.Errorf("read projects of unlisted backups: %w", err)
	}
	return ids, nil
}

// UnlistedOf returns the unlisted records of a project.
func (b *Run) UnlistedOf(ctx context.Context, projectID string) ([]backup.Record, error) {
	records, err := collectRecords(b.db.pool.Query(ctx, `SELECT `+recordColumns+` FROM records WHERE project_id = $2 AND `+unlisted+` ORDER BY id`, b.Now, projectID))
	if err != nil {
		return nil, fmt.Errorf("read unlisted backups of project %s: %w", projectID, err)
	}
	return records, nil
}

// CloseDeletedProjects ends records of projects that are gone together with their backups. It skips records that changed since the
// reconcile run began.
func (b *Run) CloseDeletedProjects(ctx context.Context, recordIDs []string) error {
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
		if _, err := b.bulk(ctx, step.from, "records of deleted projects ended", q, recordIDs, b.Now, step.from, step.to); err != nil {
			return fmt.Errorf("end %d records of deleted projects: %w", len(recordIDs), err)
		}
	}
	return nil
}
