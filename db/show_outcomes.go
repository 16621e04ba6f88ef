package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// An Outcome is how many attempts of a project made a restore point (with an empty reason), or failed for a reason.
type Outcome struct {
	ProjectID string
	Reason    backup.Reason
	N         int
}

// Outcomes returns the outcomes of the attempts that ended since the given time, by project; if project is set, only that
// project's.
func (l *Snapshot) Outcomes(ctx context.Context, project string, since time.Time) ([]Outcome, error) {
	q := Part{Project: project}.query(isAttempted)
	q.where(true, `ended_at >= @since`, "since", since)
	return l.outcomes(ctx, `SELECT project_id, `+failureReason+` AS reason, count(*)::int AS n FROM records`+q.text()+` GROUP BY 1, 2`, q.args)
}

// OutcomesByDay is [Snapshot.Outcomes] since the beginning of a day, without the projects. It adds up complete days that were
// counted already, so only what ended after them is read.
func (l *Snapshot) OutcomesByDay(ctx context.Context, project string, day time.Time) ([]Outcome, error) {
	q := Part{Project: project}.query()
	q.args["day"], q.args["attempted"] = day, day
	var newest *time.Time
	if err := l.tx.QueryRow(ctx, `SELECT max(day) FROM project_days`).Scan(&newest); err != nil {
		return nil, fmt.Errorf("read the newest counted day: %w", err)
	}
	if newest != nil && newest.After(day) {
		q.args["attempted"] = newest.UTC()
	}
	of := ``
	if project != "" {
		of = ` AND project_id = @project`
	}
	return l.outcomes(ctx, `
		SELECT '' AS project_id, reason, sum(n)::int AS n FROM (
			SELECT `+failureReason+` AS reason, count(*) AS n FROM records WHERE ended_at >= @attempted AND `+isAttempted+of+` GROUP BY 1
			UNION ALL SELECT '', sum(succeeded) FROM project_days WHERE day >= @day AND day < @attempted`+of+`
			UNION ALL SELECT f.key, sum(f.value::int) FROM project_days, jsonb_each_text(failures) f WHERE day >= @day AND day < @attempted`+of+` GROUP BY 1) counted
		WHERE n > 0 GROUP BY reason`, q.args)
}

func (l *Snapshot) outcomes(ctx context.Context, q string, args pgx.NamedArgs) ([]Outcome, error) {
	rows, err := l.tx.Query(ctx, q, args)
	if err != nil {
		return nil, fmt.Errorf("count attempts: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Outcome])
	if err != nil {
		return nil, fmt.Errorf("count attempts: %w", err)
	}
	return all, nil
}

// A StoredDay is what a project had stored at the end of a day of UTC, or what all had.
type StoredDay struct {
	Day         time.Time
	Points, GiB int
}

// StoredDays returns what was stored on the counted days from the given one on, the oldest first; if project is set, only of
// that project. A day without restore points is missing.
func (l *Snapshot) StoredDays(ctx context.Context, project string, from time.Time) ([]StoredDay, error) {
	q := Part{Project: project}.query()
	q.where(true, `day >= @from`, "from", from)
	rows, err := l.tx.Query(ctx, `SELECT day, sum(points)::int AS points, sum(gib)::bigint AS gib FROM project_days`+q.text()+` GROUP BY day ORDER BY day`, q.args)
	if err != nil {
		return nil, fmt.Errorf("read what was stored by day: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[StoredDay])
	if err != nil {
		return nil, fmt.Errorf("read what was stored by day: %w", err)
	}
	return all, nil
}
