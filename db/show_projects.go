package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A ProjectProtection is a project with its number of volumes by protection.
type ProjectProtection struct {
	Project

	Volumes map[backup.Protection]int
}

// ProjectProtections returns the projects of all volumes, in no order.
func (l *Snapshot) ProjectProtections(ctx context.Context, rpo backup.RPO) (map[string]ProjectProtection, error) {
	rows, err := l.tx.Query(ctx, `SELECT project_id, max(project_name), facts, count(*)::int FROM `+protectionsOf("")+` GROUP BY project_id, facts`, rpoArgs(l.Now, rpo, ""))
	if err != nil {
		return nil, fmt.Errorf("count volumes by project: %w", err)
	}
	all := map[string]ProjectProtection{}
	var p Project
	var facts protectionFacts
	var n int
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Name, &facts, &n}, func() error {
		if _, known := all[p.ID]; !known {
			all[p.ID] = ProjectProtection{p, map[backup.Protection]int{}}
		}
		all[p.ID].Volumes[facts.decode().Protection()] += n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count volumes by project: %w", err)
	}
	return all, nil
}

// A ProjectStorage is what a project had stored when the newest day was counted, and on the first counted day since the time
// that was asked for.
type ProjectStorage struct {
	Project

	Points, GiB int
	FirstDay    time.Time
	FirstGiB    int
}

// ProjectStorages returns the projects that had restore points when the newest day was counted.
func (l *Snapshot) ProjectStorages(ctx context.Context, since time.Time) ([]ProjectStorage, error) {
	const q = `
		SELECT n.project_id, n.project_name, n.points, n.gib, f.day, f.gib FROM project_days n CROSS JOIN LATERAL (
			SELECT day, gib FROM project_days f WHERE f.project_id = n.project_id AND f.day >= $1 ORDER BY f.day LIMIT 1) f
		WHERE n.day = (SELECT max(day) FROM project_days) AND n.points > 0`
	rows, err := l.tx.Query(ctx, q, since)
	if err != nil {
		return nil, fmt.Errorf("read what projects have stored: %w", err)
	}
	var all []ProjectStorage
	var p ProjectStorage
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Name, &p.Points, &p.GiB, &p.FirstDay, &p.FirstGiB}, func() error { all = append(all, p); return nil })
	if err != nil {
		return nil, fmt.Errorf("read what projects have stored: %w", err)
	}
	return all, nil
}

// A ProjectQuota has Cinder's limits on the backups of a project, as they were read last. What is used includes what is
// reserved.
type ProjectQuota struct {
	ProjectID          string
	Backups, Gigabytes backup.Quota
	ReadAt             time.Time
}

// ProjectQuotas returns the quotas by project.
func (l *Snapshot) ProjectQuotas(ctx context.Context) (map[string]ProjectQuota, error) {
	rows, err := l.tx.Query(ctx, `SELECT project_id, backups_limit, backups_used, gib_limit, gib_used, read_at FROM project_quotas`)
	if err != nil {
		return nil, fmt.Errorf("read quotas: %w", err)
	}
	all := map[string]ProjectQuota{}
	var q ProjectQuota
	_, err = pgx.ForEachRow(rows, []any{&q.ProjectID, &q.Backups.Limit, &q.Backups.InUse, &q.Gigabytes.Limit, &q.Gigabytes.InUse, &q.ReadAt}, func() error {
		q.ReadAt = q.ReadAt.UTC()
		all[q.ProjectID] = q
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read quotas: %w", err)
	}
	return all, nil
}

// RecordQuota stores the quotas of a project as they were read now.
func (d *DB) RecordQuota(ctx context.Context, projectID string, backups, gigabytes backup.Quota) error {
	const q = `
		INSERT INTO project_quotas (project_id, backups_limit, backups_used, gib_limit, gib_used, read_at) VALUES ($1, $2, $3, $4, $5, staffeln_now())
		ON CONFLICT (project_id) DO UPDATE SET backups_limit = $2, backups_used = $3, gib_limit = $4, gib_used = $5, read_at = staffeln_now()`
	if _, err := d.pool.Exec(ctx, q, projectID, backups.Limit, backups.Used(), gigabytes.Limit, gigabytes.Used()); err != nil {
		return fmt.Errorf("record quota of project %s: %w", projectID, err)
	}
	return nil
}
