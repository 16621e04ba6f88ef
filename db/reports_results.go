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
	backup.Record

	Wanted             bool // the volume is still protected, in the same project
	DecisionUntil      *time.Time
	Paused, InProgress bool
	SucceededAt        *time.Time // of a failure: when a later backup succeeded
}

type resultRow struct {
	Result
	RetainedFor pgtype.Interval
}

// Results returns the unreported records that ended, newest first; an empty ID means all projects.
func (l *Snapshot) Results(ctx context.Context, projectID string) ([]Result, error) {
	q := `
		SELECT ` + recordColumns + `, v.protected AND v.gone_at IS NULL AND v.project_id = records.project_id AS wanted, v.decision_until,
			EXISTS (SELECT FROM pauses p WHERE p.project_id IN ('', records.project_id)) AS paused,
			EXISTS (SELECT FROM records o WHERE o.volume_id = records.volume_id AND ` + isInProgress + `) AS in_progress,
			CASE WHEN records.available_at IS NULL THEN (SELECT min(o.available_at) FROM records o
				WHERE o.volume_id = records.volume_id AND o.project_id = records.project_id AND o.available_at > records.ended_at) END AS succeeded_at
		FROM (SELECT * FROM records WHERE ` + isUnreported + ` AND ($1 = '' OR project_id = $1)) records JOIN volumes v ON v.id = records.volume_id
		ORDER BY records.ended_at DESC, records.id`
	rows, err := l.tx.Query(ctx, q, projectID)
	if err != nil {
		return nil, fmt.Errorf("read unreported results: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Result, error) {
		r, err := pgx.RowToStructByNameLax[resultRow](row)
		r.Retention = fromInterval(r.RetainedFor)
		return r.Result, err
	})
	if err != nil {
		return nil, fmt.Errorf("read unreported results: %w", err)
	}
	return all, nil
}

// A Lateness is a protected volume that is late or has no restore point.
type Lateness struct {
	VolumeProtection
	Failure backup.Reason // reason of the newest attempt if that failed
}

// Lateness returns these volumes, the oldest restore point first; an empty ID means all projects.
func (l *Snapshot) Lateness(ctx context.Context, rpo backup.RPO, projectID string) ([]Lateness, error) {
	q := `
		SELECT volumes.*, coalesce((
			SELECT CASE WHEN ` + isFailedAttempt + ` THEN reason ELSE '' END FROM records
			WHERE volume_id = volumes.id AND records.project_id = volumes.project_id AND ` + isAttempted + `
			ORDER BY ended_at DESC, records.id LIMIT 1), '') AS failure
		FROM ` + protectionsOf(projectID) + ` WHERE facts = ANY(@facts) ORDER BY newest_at NULLS FIRST, name, id`
	args := rpoArgs(l.Now, rpo, projectID)
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
	q := `SELECT ` + recordColumns + ` FROM records WHERE ` + isStuck + ` AND ($1 = '' OR project_id = $1) ORDER BY changed_at DESC, id`
	return l.records(ctx, "stuck", q, projectID)
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
