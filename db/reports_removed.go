package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
)

// A RemovedPoint is a restore point whose removal was not reported yet.
type RemovedPoint struct {
	ID                     string
	ProjectID, ProjectName string
	ServerID, ServerName   string
	VolumeID, VolumeName   string
	BackupID               string
	DataTimestamp          time.Time
	RemovedAt              time.Time
	Reason                 backup.Reason
	Retention              backup.Period `db:"-"` // the retention of its record
}

type removedRow struct {
	RemovedPoint
	RetainedFor pgtype.Interval
}

// RemovedPoints returns the unreported removals by volume, the oldest data first; an empty ID means all projects.
func (l *Snapshot) RemovedPoints(ctx context.Context, projectID string) ([]RemovedPoint, error) {
	q := `
		SELECT id, project_id, project_name, server_id, server_name, volume_id, volume_name, coalesce(backup_id, '') AS backup_id, data_timestamp,
			CASE WHEN ` + isLost + ` THEN changed_at ELSE coalesce(deletion_requested_at, changed_at) END AS removed_at,
			CASE WHEN ` + isLost + ` THEN reason ELSE removal_reason END AS reason, retention AS retained_for
		FROM records WHERE ` + isUnreportedRemoval + ` AND ($1 = '' OR project_id = $1) AND data_timestamp IS NOT NULL
		ORDER BY project_id, volume_id, data_timestamp`
	rows, err := l.tx.Query(ctx, q, projectID)
	if err != nil {
		return nil, fmt.Errorf("read removed restore points: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (RemovedPoint, error) {
		r, err := pgx.RowToStructByNameLax[removedRow](row)
		r.Retention = fromInterval(r.RetainedFor)
		return r.RemovedPoint, err
	})
	if err != nil {
		return nil, fmt.Errorf("read removed restore points: %w", err)
	}
	return all, nil
}
