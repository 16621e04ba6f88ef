package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// dayHistory is for how many days before today [Run.CountDays] counts what was not counted yet.
const dayHistory = 30

// CountDays counts what came of the attempts of each day of UTC and what was stored at its end, by project: for today, and for
// the days since the newest counted one. A page then adds up days and not records.
func (b *Run) CountDays(ctx context.Context) error {
	// Before the day on which the first attempt ended there is nothing to count.
	const q = `SELECT coalesce((SELECT max(day) FROM project_days WHERE day <= $1), ((SELECT min(ended_at) FROM records) AT TIME ZONE 'UTC')::date, $1)`
	today := b.Now.Truncate(24 * time.Hour)
	var begin time.Time
	if err := b.db.pool.QueryRow(ctx, q, today).Scan(&begin); err != nil {
		return fmt.Errorf("read the newest counted day: %w", err)
	}
	day := today.AddDate(0, 0, -dayHistory)
	if begin.After(day) {
		day = begin.UTC().Truncate(24 * time.Hour)
	}
	for ; !day.After(today); day = day.AddDate(0, 0, 1) {
		if err := b.inTerm(ctx, func(tx pgx.Tx) error { return countDay(ctx, tx, day) }); err != nil {
			return fmt.Errorf("count attempts and restore points of %s: %w", day.Format(time.DateOnly), err)
		}
	}
	return nil
}

// stored selects the restore points that existed at the time $2: those of now, and those that are gone or being removed since.
var stored = `(
	SELECT project_id, project_name, size_gib FROM records WHERE ` + isRestorePoint + ` AND available_at < $2
	UNION ALL SELECT project_id, project_name, size_gib FROM records WHERE ` + isPast + ` AND changed_at >= $2 AND available_at < $2
	UNION ALL SELECT project_id, project_name, size_gib FROM records WHERE ` + isRemoving + ` AND changed_at >= $2 AND available_at < $2)`

func countDay(ctx context.Context, tx pgx.Tx, day time.Time) error {
	if _, err := tx.Exec(ctx, `DELETE FROM project_days WHERE day = $1`, day); err != nil {
		return err
	}
	q := `
		WITH attempts AS (
			SELECT project_id, max(project_name) AS name, ` + failureReason + ` AS reason, count(*)::int AS n
			FROM records WHERE ended_at >= $1 AND ended_at < $2 AND ` + isAttempted + ` GROUP BY project_id, 3),
		ended AS (
			SELECT project_id, max(name) AS name, coalesce(sum(n) FILTER (WHERE reason = ''), 0)::int AS succeeded,
				coalesce(jsonb_object_agg(reason, n) FILTER (WHERE reason <> ''), '{}') AS failures
			FROM attempts GROUP BY project_id),
		stored AS (
			SELECT project_id, max(project_name) AS name, count(*)::int AS points, sum(size_gib) AS gib FROM ` + stored + ` restore_points GROUP BY project_id)
		INSERT INTO project_days (day, project_id, project_name, succeeded, failures, points, gib)
		SELECT $3::date, project_id, coalesce(s.name, e.name), coalesce(e.succeeded, 0), coalesce(e.failures, '{}'), coalesce(s.points, 0), coalesce(s.gib, 0)
		FROM ended e FULL JOIN stored s USING (project_id)`
	_, err := tx.Exec(ctx, q, day, day.AddDate(0, 0, 1), day)
	return err
}

// failureReason is ” for an attempt that made a restore point, and otherwise why it failed.
const failureReason = `CASE WHEN available_at IS NULL THEN coalesce(nullif(reason, ''), 'backup_error') ELSE '' END`

// ForgetDays deletes the days before the given time.
func (b *Run) ForgetDays(ctx context.Context, before time.Time) error {
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM project_days WHERE day < $1`, before)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget counted days: %w", err)
	}
	return nil
}
