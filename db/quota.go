package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// freed selects the projects in which a removal of ours freed backup quota recently. Older removals make no difference to
// [backup.Next].
const freed = `SELECT project_id, max(changed_at) AS at FROM records
	WHERE ` + isDeleted + ` AND changed_at > $1 AND ($2::text[] IS NULL OR project_id = ANY($2)) GROUP BY project_id`

// QuotaFreed returns the time of the newest removal of a backup of ours, by project.
func (b *Run) QuotaFreed(ctx context.Context) (map[string]time.Time, error) {
	return quotaFreed(ctx, b.db.pool, b.Now, nil)
}

// QuotaFreed returns the time of the newest removal of a backup of ours in each of the given projects.
func (l *Snapshot) QuotaFreed(ctx context.Context, projectIDs []string) (map[string]time.Time, error) {
	return quotaFreed(ctx, l.tx, l.Now, projectIDs)
}

func quotaFreed(ctx context.Context, from queries, now time.Time, projectIDs []string) (map[string]time.Time, error) {
	rows, err := from.Query(ctx, freed, now.Add(-backup.QuotaPause), projectIDs)
	if err != nil {
		return nil, fmt.Errorf("read removals by project: %w", err)
	}
	at := map[string]time.Time{}
	var project string
	var newest time.Time
	if _, err := pgx.ForEachRow(rows, []any{&project, &newest}, func() error { at[project] = newest.UTC(); return nil }); err != nil {
		return nil, fmt.Errorf("read removals by project: %w", err)
	}
	return at, nil
}

// QuotasFull returns the projects in which a backup failed recently because the quota was exceeded.
func (b *Run) QuotasFull(ctx context.Context) ([]string, error) {
	const q = `SELECT DISTINCT project_id FROM records WHERE ended_at > $1 AND ` + isFailed + ` AND reason = 'quota_exceeded' ORDER BY 1`
	ids, err := collectIDs(b.db.pool.Query(ctx, q, b.Now.Add(-2*backup.QuotaPause)))
	if err != nil {
		return nil, fmt.Errorf("read projects with full quotas: %w", err)
	}
	return ids, nil
}
