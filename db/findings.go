package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// RecordFindings stores the findings of a plan and returns the new ones. A known finding keeps its since time. A finding that
// the plan no longer sees is deleted only if complete is set: the plan saw the whole cloud.
func (b *Run) RecordFindings(ctx context.Context, findings []backup.Finding, complete bool) ([]backup.Finding, error) {
	if !complete {
		return b.recordFindings(ctx, findings, nil)
	}
	return b.recordFindings(ctx, findings, planFindings)
}

// RecordReconcileFindings stores the findings of a reconcile run. complete reports that these are the last findings of a run that
// saw all backups.
func (b *Run) RecordReconcileFindings(ctx context.Context, findings []backup.Finding, complete bool) ([]backup.Finding, error) {
	if !complete {
		return b.recordFindings(ctx, findings, nil)
	}
	return b.recordFindings(ctx, findings, reconcileFindings)
}

// RecordLoginFinding stores the finding that Keystone refuses our credentials, or that our user lost the role admin. Called
// without a finding, it deletes both.
func (b *Run) RecordLoginFinding(ctx context.Context, refused ...backup.Finding) ([]backup.Finding, error) {
	return b.recordFindings(ctx, refused, []string{string(backup.Unauthorised), string(backup.NotAdmin)})
}

// RecordQueueFinding stores the finding that no worker takes tasks, or that the queue is unreachable. Called without a
// finding, it deletes both.
func (b *Run) RecordQueueFinding(ctx context.Context, trouble ...backup.Finding) ([]backup.Finding, error) {
	return b.recordFindings(ctx, trouble, []string{string(backup.NoWorker), string(backup.QueueUnreachable)})
}

// recordFindings stores findings, and deletes those with the given reasons that this run did not see.
func (b *Run) recordFindings(ctx context.Context, findings []backup.Finding, forget []string) ([]backup.Finding, error) {
	const upsert = `
		INSERT INTO findings (reason, object, project_id, object_name, volume_id, detail, since, seen_at)
		SELECT DISTINCT ON (f.reason, f.object, f.project_id) f.*, $7::timestamptz, $7::timestamptz
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) AS f (reason, object, project_id, object_name, volume_id, detail)
		ORDER BY f.reason, f.object, f.project_id, f.detail
		ON CONFLICT (reason, object, project_id) DO UPDATE SET object_name = excluded.object_name, volume_id = excluded.volume_id, detail = excluded.detail, seen_at = excluded.seen_at
		RETURNING reason, object, project_id, object_name, volume_id, detail, xmax = 0 AS new`
	var all []writtenFinding
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		c := newColumns(6, len(findings))
		for _, f := range findings {
			c.add(string(f.Reason), f.Object, f.ProjectID, f.ObjectName, f.VolumeID, f.Detail)
		}
		var err error
		if all, err = collectWritten(tx.Query(ctx, upsert, append(c.args(), b.Now)...)); err != nil || len(forget) == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM findings WHERE seen_at < $1 AND reason = ANY($2)`, b.Now, forget)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep %d findings: %w", len(findings), err)
	}
	return newFindings(all), nil
}

// writtenFinding is a finding that a statement wrote, and whether it is new.
type writtenFinding struct {
	backup.Finding
	New bool
}

func collectWritten(rows pgx.Rows, err error) ([]writtenFinding, error) {
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[writtenFinding])
}

// newFindings returns the findings that are new.
func newFindings(written []writtenFinding) []backup.Finding {
	var all []backup.Finding
	for _, f := range written {
		if f.New {
			all = append(all, f.Finding)
		}
	}
	return all
}

// The reasons are grouped by what deletes the findings: planFindings by a plan, reconcileFindings by a reconcile run,
// projectFindings by the removals in a project.
var (
	planFindings = []string{
		string(backup.BackupMetadataUnreadable), string(backup.RetentionMetadataUnreadable), string(backup.RetentionShortened), string(backup.AbsencesUnconfirmed), string(backup.NotSeen),
		string(backup.OlderAPINode), string(backup.EndpointSilent),
	}
	reconcileFindings = []string{
		string(backup.Orphan), string(backup.TagMismatch), string(backup.RemovedByOthers), string(backup.LossesUnconfirmed), string(backup.StatusUnknown),
		string(backup.CheckNotAsked), string(backup.SecretGone), string(backup.SecretsUnconfirmed),
	}
	projectFindings = []string{string(backup.ProjectGone), string(backup.NoRole)}
)

// FindingCounts returns the number of stored findings by reason.
func (b *Run) FindingCounts(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	rows, err := b.db.pool.Query(ctx, `SELECT reason, count(*)::int FROM findings GROUP BY reason`)
	if err != nil {
		return nil, fmt.Errorf("count findings: %w", err)
	}
	var reason string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&reason, &n}, func() error { counts[reason] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count findings: %w", err)
	}
	return counts, nil
}

// A KeptFinding is a stored finding with the time since when it is known, and the names in its project that the database knows,
// also those of things that are gone.
type KeptFinding struct {
	backup.Finding
	ProjectName, VolumeName string
	Since                   time.Time
}
