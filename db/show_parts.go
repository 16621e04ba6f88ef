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
	return l.records(ctx, "unfinished", `SELECT `+recordColumns+` FROM records`+q.text()+
		` ORDER BY coalesce(deletion_requested_at, requested_at, admitted_at), volume_name, id`+limit, q.args)
}

// BacklogIn returns a part of the result of [Snapshot.Backlog].
func (l *Snapshot) BacklogIn(ctx context.Context, p Part) ([]Backlog, error) {
	q := p.query(isUnfinished, isWaiting)
	rows, err := l.tx.Query(ctx, `
		SELECT project_id, max(project_name) AS project_name, count(*)::int AS records, min(changed_at) AS since, array_agg(DISTINCT held ORDER BY held) AS held,
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
			ORDER BY r.ended_at DESC, r.id LIMIT 1) records
		WHERE `+condition+`v.protected AND (records.available_at IS NULL OR records.`+isLost+`)
		ORDER BY records.ended_at DESC, records.volume_name, records.id`+limit, args)
}

// A Day counts, for one volume and one day in UTC, the new restore points, the failed attempts, and of the restore points those
// that were lost since.
type Day struct {
	Date               string
	Made, Failed, Lost int
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
			(count(*) FILTER (WHERE available_at IS NOT NULL))::int AS made, (count(*) FILTER (WHERE `+isFailedAttempt+`))::int AS failed,
			(count(*) FILTER (WHERE `+isLost+`))::int AS lost
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
