package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Part says which part of a list is wanted: that of one project, and the first so many; empty and 0 are all.
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

// InProgressIn returns a part of what [Snapshot.InProgress] does.
func (l *Snapshot) InProgressIn(ctx context.Context, p Part) ([]backup.Record, error) {
	q := p.query(isUnfinished, `NOT (`+isWaiting+`)`)
	return l.records(ctx, "busy", `SELECT `+recordColumns+` FROM records`+q.text()+
		` ORDER BY coalesce(deletion_requested_at, requested_at, admitted_at), volume_name, id`+limit, q.args)
}

// BacklogIn returns a part of what [Snapshot.Backlog] does.
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

// FailuresIn returns a part of what [Snapshot.Failures] does.
func (l *Snapshot) FailuresIn(ctx context.Context, p Part) ([]backup.Record, error) {
	of := ``
	if p.Project != "" {
		of = `v.project_id = @project AND `
	}
	return l.failures(ctx, of, p.query().args)
}

// failures reads them of the volumes v that the condition admits.
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

// FindingsIn returns a part of the findings, the newest first.
func (l *Snapshot) FindingsIn(ctx context.Context, p Part) ([]KeptFinding, error) {
	q := p.query()
	return l.findings(ctx, findingColumns+q.text()+newestFinding+limit, q.args)
}

// FindingsAbout returns the findings of one project about these objects, or that have this reason; of all projects where
// it is empty.
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

// ProjectNamed returns the project with that ID, by what a volume or a record of it says.
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
		return Project{ID: id}, nil // its ID has to do where its last record was forgotten
	}
	return Project{id, names[0]}, nil
}

// A Day is what happened to one volume on one day of UTC: what became a restore point, and what did not or was taken away.
type Day struct {
	Date         string
	Made, Failed int
}

// latestRequest is how long after its plan a backup is asked for at the latest, for a list of days.
const latestRequest = 60

// Days returns what happened to a volume from a day on, of one project where it is named. Days without anything are left out.
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
