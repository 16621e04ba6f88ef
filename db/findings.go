package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Found keeps the findings of a plan. One that was known stays dated at its
// first sight; one that the plan no longer sees is forgotten, but only by a
// plan that saw the whole cloud. It returns those that are new.
func (b *Beat) Found(ctx context.Context, findings []backup.Finding, complete bool) ([]backup.Finding, error) {
	const upsert = `
		INSERT INTO findings (reason, object, project_id, detail, since, seen_at)
		SELECT DISTINCT ON (f.reason, f.object) f.*, $5::timestamptz, $5::timestamptz
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS f (reason, object, project_id, detail)
		ORDER BY f.reason, f.object, f.detail
		ON CONFLICT (reason, object) DO UPDATE SET project_id = excluded.project_id, detail = excluded.detail, seen_at = excluded.seen_at
		RETURNING reason, object, project_id, detail, since = seen_at AS new`
	type row struct {
		Reason                    backup.Reason
		Object, ProjectID, Detail string
		New                       bool
	}
	var all []row
	err := b.reigning(ctx, func(tx pgx.Tx) error {
		c := newColumns(4, len(findings))
		for _, f := range findings {
			c.add(string(f.Reason), f.Object, f.ProjectID, f.Detail)
		}
		rows, err := tx.Query(ctx, upsert, append(c.args(), b.Now)...)
		if err != nil {
			return err
		}
		if all, err = pgx.CollectRows(rows, pgx.RowToStructByName[row]); err != nil || !complete {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM findings WHERE seen_at < $1 AND reason = ANY($2)`, b.Now, planFindings)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep %d findings: %w", len(findings), err)
	}
	var fresh []backup.Finding
	for _, r := range all {
		if r.New {
			fresh = append(fresh, backup.Finding{Reason: r.Reason, ProjectID: r.ProjectID, Object: r.Object, Detail: r.Detail})
		}
	}
	return fresh, nil
}

// planFindings are those that a plan sees again as long as they hold.
var planFindings = []string{
	string(backup.BackupMetadataUnreadable), string(backup.RetentionMetadataUnreadable), string(backup.RetentionShortened),
}

// A KeptFinding is a finding and since when it is known.
type KeptFinding struct {
	backup.Finding
	Since time.Time
}
