package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Part selects one project and the first entries of a list; an empty Project and Limit 0 mean all.
type Part struct {
	Project string
	Limit   int
}

func (p Part) query(conditions ...string) query {
	q := query{conditions: conditions}
	q.where(p.Project != "", `project_id = @project`, "project", storable(p.Project))
	q.limited(p.Limit)
	return q
}

const limit = ` LIMIT nullif(@limit, 0)`

// InProgressIn returns a part of the result of [Snapshot.InProgress].
func (l *Snapshot) InProgressIn(ctx context.Context, p Part) ([]backup.Record, error) {
	q := p.query(isUnfinished, `NOT (`+isWaiting+`)`)
	return l.records(ctx, "busy", `SELECT `+recordColumns+` FROM records`+q.text()+
		` ORDER BY coalesce(deletion_requested_at, requested_at, admitted_at), volume_name, id`+limit, q.args)
}

// BacklogIn returns a part of the result of [Snapshot.Backlog].
func (l *Snapshot) BacklogIn(ctx context.Context, p Part) ([]Backlog, error) {
	q := p.query(isUnfinished, isWaiting)
	rows, err := l.tx.Query(ctx, `
		SELECT project_id, max(project_name) AS project_name, count(*)::int AS records, min(changed_at) AS since,
			CASE WHEN count(*) = count(last_point_at) THEN min(last_point_at) END AS oldest_point_at
		FROM records`+q.text()+` GROUP BY project_id ORDER BY records DESC, project_id`+limit, q.args)
	if err != nil {
		return nil, fmt.Errorf("read backlog: %w", err)
	}
	backlog, err := pgx.CollectRows(rows, pgx.RowToStructByName[Backlog])
	if err != nil {
		return nil, fmt.Errorf("read backlog: %w", err)
	}
	return backlog, nil
}

// FailuresIn returns a part of the result of [Snapshot.Failures].
func (l *Snapshot) FailuresIn(ctx context.Context, p Part) ([]backup.Record, error) {
	of := ``
	if p.Project != "" {
		of = `v.project_id = @project AND `
	}
	return l.failures(ctx, of, p.query().args)
}

// failures reads the failures of the volumes v for which the condition holds.
func (l *Snapshot) failures(ctx context.Context, condition string, args pgx.NamedArgs) ([]backup.Record, error) {
	return l.records(ctx, "failed", `
		SELECT `+recordColumns+` FROM volumes v CROSS JOIN LATERAL (
			SELECT * FROM records r WHERE r.volume_id = v.id AND r.project_id = v.project_id
				AND `+isAttempted+`
			ORDER BY r.planned_at DESC, r.ended_at DESC LIMIT 1) records
		WHERE `+condition+`v.protected AND (records.available_at IS NULL OR records.`+isLost+`)
		ORDER BY records.ended_at DESC, records.volume_name, records.id`+limit, args)
}

const (
	findingColumns = `SELECT reason, object, project_id, volume_id, detail, since FROM findings`
	newestFinding  = ` ORDER BY since DESC, reason, object`
)

// FindingsIn returns a part of the findings, newest first.
func (l *Snapshot) FindingsIn(ctx context.Context, p Part) ([]KeptFinding, error) {
	q := p.query()
	return l.findings(ctx, findingColumns+q.text()+newestFinding+limit, q.args)
}

// FindingsAbout returns the findings about these objects or with this reason; an empty project means all projects.
func (l *Snapshot) FindingsAbout(ctx context.Context, project string, objects []string, reason backup.Reason) ([]KeptFinding, error) {
	q := Part{Project: project}.query()
	q.where(true, `(object = ANY(@objects) OR volume_id = ANY(@objects) OR reason = @reason)`, "objects", objects)
	q.args["reason"] = reason
	return l.findings(ctx, findingColumns+q.text()+newestFinding, q.args)
}

func (l *Snapshot) findings(ctx context.Context, q string, args pgx.NamedArgs) ([]KeptFinding, error) {
	rows, err := l.tx.Query(ctx, q, args)
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[KeptFinding])
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	return found, nil
}

// ProjectNamed returns the project with that ID and the name that a volume or a record of it has.
func (l *Snapshot) ProjectNamed(ctx context.Context, id string) (Project, error) {
	const q = `
		SELECT name FROM ((SELECT project_name AS name FROM volumes WHERE project_id = $1 LIMIT 1)
			UNION ALL (SELECT project_name FROM records WHERE project_id = $1 LIMIT 1)) known ORDER BY name DESC LIMIT 1`
	rows, err := l.tx.Query(ctx, q, storable(id))
	if err != nil {
		return Project{}, fmt.Errorf("read project: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return Project{}, fmt.Errorf("read project: %w", err)
	}
	if len(names) == 0 {
		return Project{ID: id}, nil // its last record was deleted, so only the ID is known
	}
	return Project{id, names[0]}, nil
}

// A Day counts, for one volume and one day in UTC, the new restore points, and the backups that failed or were lost.
type Day struct {
	Date         string
	Made, Failed int
}

// latestRequest is the maximum number of days between the plan of a backup and its request that a list of days covers.
const latestRequest = 60

// Days returns the days of a volume from a day on; if project is set, only that project's. It omits days without any event.
func (l *Snapshot) Days(ctx context.Context, project, volumeID string, from time.Time) ([]Day, error) {
	q := Part{Project: project}.query()
	q.where(true, `volume_id = @volume`, "volume", storable(volumeID))
	q.where(true, `planned_at >= @planned`, "planned", from.AddDate(0, 0, -latestRequest))
	q.where(true, cursorAt+` >= @from`, "from", from)
	rows, err := l.tx.Query(ctx, `
		SELECT to_char(`+cursorAt+` AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS date,
			(count(*) FILTER (WHERE available_at IS NOT NULL AND NOT `+isLost+`))::int AS made,
			(count(*) FILTER (WHERE `+isLost+` OR (`+isFailed+` AND available_at IS NULL)))::int AS failed
		FROM records`+q.text()+` GROUP BY date`, q.args)
	if err != nil {
		return nil, fmt.Errorf("count backups by day: %w", err)
	}
	days, err := pgx.CollectRows(rows, pgx.RowToStructByName[Day])
	if err != nil {
		return nil, fmt.Errorf("count backups by day: %w", err)
	}
	return days, nil
}
