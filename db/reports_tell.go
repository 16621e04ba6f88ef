package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
)

// A Result is a record that ended, with the later state of its volume.
type Result struct {
	ID                     string
	ProjectID, ProjectName string
	ServerID, ServerName   string
	VolumeID, VolumeName   string
	State                  backup.State
	Kind                   backup.Kind
	SizeGiB                int
	CreatedAt, EndedAt     time.Time
	RequestedAt            *time.Time
	AvailableAt            *time.Time
	DataTimestamp          *time.Time
	BackupID               string
	Reason                 backup.Reason
	ReasonText, RequestID  string
	Wanted                 bool          // the volume is still protected, in the same project
	Decision               backup.Reason // the newest plan's decision about the volume
	DecisionUntil          *time.Time
	Paused, InProgress     bool
	SucceededAt            *time.Time    // of a failure: when a later backup succeeded
	Retention              backup.Period `db:"-"` // the retention in force now
}

type resultRow struct {
	Result
	RetainedFor pgtype.Interval
}

// Results returns the unreported records that ended, newest first; an empty ID means all projects.
func (l *Snapshot) Results(ctx context.Context, projectID string) ([]Result, error) {
	q := `
		SELECT r.id, r.project_id, r.project_name, r.server_id, r.server_name, r.volume_id, r.volume_name, r.state, r.kind, r.size_gib,
			r.created_at, r.ended_at, r.requested_at, r.available_at, r.data_timestamp, coalesce(r.backup_id, '') AS backup_id,
			r.reason, r.reason_text, r.cloud_request_id AS request_id, v.protected AND v.gone_at IS NULL AND v.project_id = r.project_id AS wanted,
			v.reason AS decision, v.decision_until, ` + retentionInForce + ` AS retained_for,
			EXISTS (SELECT FROM pauses p WHERE p.project_id IN ('', r.project_id)) AS paused,
			EXISTS (SELECT FROM records o WHERE o.volume_id = r.volume_id AND ` + isInProgress + `) AS in_progress,
			CASE WHEN r.available_at IS NULL THEN (SELECT min(o.available_at) FROM records o
				WHERE o.volume_id = r.volume_id AND o.project_id = r.project_id AND o.available_at > r.ended_at) END AS succeeded_at
		FROM (SELECT * FROM records WHERE ` + isUnreported + ` AND ($1 = '' OR project_id = $1)) r JOIN volumes v ON v.id = r.volume_id
		ORDER BY r.ended_at DESC, r.id`
	rows, err := l.tx.Query(ctx, q, projectID)
	if err != nil {
		return nil, fmt.Errorf("read results to tell: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Result, error) {
		r, err := pgx.RowToStructByNameLax[resultRow](row)
		r.Retention = fromInterval(r.RetainedFor)
		return r.Result, err
	})
	if err != nil {
		return nil, fmt.Errorf("read results to tell: %w", err)
	}
	return all, nil
}

// A Lateness is a protected volume that is late or has no restore point.
type Lateness struct {
	VolumeProtection
	Failure backup.Reason // reason of the newest attempt if that failed
}

// Lateness returns these volumes, the oldest restore point first; an empty ID means all projects.
func (l *Snapshot) Lateness(ctx context.Context, late time.Duration, projectID string) ([]Lateness, error) {
	q := `
		SELECT volumes.*, coalesce((
			SELECT CASE WHEN available_at IS NULL THEN reason ELSE '' END FROM records
			WHERE volume_id = volumes.id AND records.project_id = volumes.project_id AND ` + isAttempted + `
			ORDER BY planned_at DESC, ended_at DESC LIMIT 1), '') AS failure
		FROM ` + protectionsOf(projectID) + ` WHERE facts = ANY(@facts) ORDER BY newest_at NULLS FIRST, name, id`
	args := l.protectionArgs(late, projectID)
	args["facts"] = factsOf(backup.Late, backup.Waiting)
	rows, err := l.tx.Query(ctx, q, args)
	if err != nil {
		return nil, fmt.Errorf("read what is late: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Lateness])
	if err != nil {
		return nil, fmt.Errorf("read what is late: %w", err)
	}
	return all, nil
}

// Stuck returns the records that are overdue or cannot be removed; an empty ID means all projects.
func (l *Snapshot) Stuck(ctx context.Context, projectID string) ([]backup.Record, error) {
	q := `SELECT ` + recordColumns + ` FROM records WHERE ` + isHanging + ` AND ($1 = '' OR project_id = $1) ORDER BY changed_at DESC, id`
	return l.records(ctx, "hanging", q, projectID)
}

// A ProjectSize is a project and the number of its protected volumes.
type ProjectSize struct {
	Project

	Protected int
}

// ProjectSizes returns the projects of all volumes, or one project, by ID.
func (l *Snapshot) ProjectSizes(ctx context.Context, projectID string) (map[string]ProjectSize, error) {
	const q = `
		SELECT project_id AS id, (array_agg(project_name ORDER BY seen_at DESC))[1] AS name, count(*) FILTER (WHERE protected AND gone_at IS NULL)::int AS protected
		FROM volumes WHERE $1 = '' OR project_id = $1 GROUP BY project_id`
	rows, err := l.tx.Query(ctx, q, projectID)
	if err != nil {
		return nil, fmt.Errorf("read projects: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ProjectSize])
	if err != nil {
		return nil, fmt.Errorf("read projects: %w", err)
	}
	sizes := make(map[string]ProjectSize, len(all))
	for _, p := range all {
		sizes[p.ID] = p
	}
	return sizes, nil
}

// ReportedBefore returns when the group's newest report was made; nil: never.
func (l *Snapshot) ReportedBefore(ctx context.Context, group string) (before *time.Time, err error) {
	if err := l.tx.QueryRow(ctx, reportedBefore, group).Scan(&before); err != nil {
		return nil, fmt.Errorf("read report of %s before: %w", group, err)
	}
	return before, nil
}
