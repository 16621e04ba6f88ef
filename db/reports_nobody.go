package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// NoReceiver records that the leased project has no receiver of reports: it stores a finding for the operator and postpones
// the next check to the given time. It reports whether the finding is new.
func (c *ReportLease) NoReceiver(ctx context.Context, fault string, retryAt time.Time) (fresh bool, err error) {
	err = c.inLease(ctx, func(tx pgx.Tx) error {
		const (
			find = `
				INSERT INTO findings (reason, object, project_id, detail, since, seen_at) VALUES ($1, $2, '', $3, $4, $4)
				ON CONFLICT (reason, object, project_id) DO UPDATE SET detail = excluded.detail, seen_at = excluded.seen_at RETURNING xmax = 0`
			wait = `UPDATE report_groups SET failures = 0, next_try_at = $2, fault = $3 WHERE id = $1`
		)
		if err := tx.QueryRow(ctx, find, string(backup.NoReceiver), storable(c.Group), storable(fault), c.Now).Scan(&fresh); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, wait, c.Group, retryAt, storable(fault))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("record that %s has no receiver: %w", c.Group, err)
	}
	return fresh, nil
}

// foundReceiver deletes the finding that the group has no receiver.
func (c *ReportLease) foundReceiver(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `DELETE FROM findings WHERE reason = $1 AND object = $2 AND project_id = ''`, string(backup.NoReceiver), c.Group)
	return err
}

// ProjectName returns the newest known name of the leased project, or "".
func (c *ReportLease) ProjectName(ctx context.Context) (name string, err error) {
	q := `
		SELECT project_name FROM (
			(SELECT project_name, seen_at AS at FROM volumes WHERE project_id = $1 AND project_name <> '' ORDER BY seen_at DESC LIMIT 1)
			UNION ALL (SELECT project_name, created_at FROM records WHERE project_id = $1 AND project_name <> '' AND ` + isUnreported + ` ORDER BY created_at DESC LIMIT 1)
			UNION ALL (SELECT content ->> 'project_name', created_at FROM notices WHERE project_id = $1 AND content ->> 'project_name' <> '' AND report_id IS NULL ORDER BY created_at DESC LIMIT 1)) named
		ORDER BY at DESC LIMIT 1`
	err = c.db.pool.QueryRow(ctx, q, c.Group).Scan(&name)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("read name of project %s: %w", c.Group, err)
	}
	return name, nil
}
