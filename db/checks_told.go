package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A DeleteCheck is one way in which deletions were asked for and answered: by
// whom, about which backup, and how often. It is a row of delete_checks.
type DeleteCheck struct {
	Allowed   bool
	Verdict   string
	BackupID  string // empty for what was allowed, which is summed
	UserID    string
	ProjectID string
	Roles     string
	Asked     int64
}

// Told adds what was answered since the last time to the hour that the
// database's clock has now.
func (c *Checks) Told(ctx context.Context, told []DeleteCheck) error {
	const q = `
		INSERT INTO delete_checks AS c (hour, answer, verdict, backup_id, user_id, project_id, roles, asked, first_at, last_at)
		SELECT date_trunc('hour', n.now), CASE WHEN t.allowed THEN 'allowed' ELSE 'refused' END, t.verdict, t.backup_id, t.user_id, t.project_id, t.roles,
			sum(t.asked), n.now, n.now
		FROM (SELECT staffeln_now()) AS n (now), unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
			AS t (allowed, verdict, backup_id, user_id, project_id, roles, asked)
		GROUP BY 1, 2, 3, 4, 5, 6, 7, n.now
		ORDER BY 1, 2, 3, 4, 5, 6, 7 -- one order of locks: several may write at once
		ON CONFLICT (hour, answer, verdict, backup_id, user_id, project_id, roles)
		DO UPDATE SET asked = c.asked + EXCLUDED.asked, last_at = EXCLUDED.last_at`
	n := len(told)
	allowed, asked := make([]bool, n), make([]int64, n)
	verdicts, backups, users, projects, roles := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, t := range told {
		allowed[i], asked[i] = t.Allowed, t.Asked
		verdicts[i], backups[i], users[i], projects[i], roles[i] = t.Verdict, t.BackupID, storable(t.UserID), storable(t.ProjectID), storable(t.Roles)
	}
	if _, err := c.pool.Exec(ctx, q, allowed, verdicts, backups, users, projects, roles, asked); err != nil {
		return fmt.Errorf("write who asked for %d deletions: %w", n, err)
	}
	return nil
}

// A ToldCheck is a DeleteCheck with the time in which it was asked.
type ToldCheck struct {
	FirstAt, LastAt time.Time
	Answer          string
	Verdict         string
	BackupID        string
	UserID          string
	ProjectID       string
	Roles           string
	Asked           int64
}

// DeleteChecks returns who asked for deletions, the newest first; limit 0 =
// all. Without allowed it returns the refused alone.
func (l *Look) DeleteChecks(ctx context.Context, allowed bool, limit int) ([]ToldCheck, error) {
	const q = `
		SELECT first_at, last_at, answer, verdict, backup_id, user_id, project_id, roles, asked FROM delete_checks
		WHERE answer = 'refused' OR $1 ORDER BY last_at DESC, answer, verdict, backup_id, user_id LIMIT nullif($2, 0)`
	rows, err := l.tx.Query(ctx, q, allowed, limit)
	if err != nil {
		return nil, fmt.Errorf("read who asked for deletions: %w", err)
	}
	told, err := pgx.CollectRows(rows, pgx.RowToStructByName[ToldCheck])
	if err != nil {
		return nil, fmt.Errorf("read who asked for deletions: %w", err)
	}
	return told, nil
}
