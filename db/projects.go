package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// RecordUnreachableProject stores a finding that the project's backups cannot be deleted, because it is gone or the service user has no role
// in it. isNew reports whether the finding is new.
func (c *Lease) RecordUnreachableProject(ctx context.Context, f backup.Finding) (isNew bool, err error) {
	const q = `
		INSERT INTO findings (reason, object, project_id, detail, since, seen_at)
		SELECT @reason, @object, @project, @detail, at, at FROM staffeln_now() AS at
		WHERE EXISTS (SELECT FROM volumes WHERE ` + leaseHolds + `)
		ON CONFLICT (reason, object, project_id) DO UPDATE SET detail = excluded.detail, seen_at = excluded.seen_at
		RETURNING xmax = 0`
	rows, err := c.db.pool.Query(ctx, q, c.args(pgx.NamedArgs{"reason": string(f.Reason), "object": f.Object, "project": f.ProjectID, "detail": storable(f.Detail)}))
	if err == nil {
		// no row: the lease ran out, and its next holder will find the same
		_, err = pgx.ForEachRow(rows, []any{&isNew}, func() error { return nil })
	}
	if err != nil {
		return false, fmt.Errorf("keep finding %s of project %s: %w", f.Reason, f.Object, err)
	}
	return isNew, nil
}

// Reached deletes the findings that a project was unreachable.
func (c *Lease) Reached(ctx context.Context, projectID string) error {
	const q = `DELETE FROM findings WHERE object = $1 AND reason = ANY($2)`
	if _, err := c.db.pool.Exec(ctx, q, projectID, projectFindings); err != nil {
		return fmt.Errorf("forget that project %s was out of reach: %w", projectID, err)
	}
	return nil
}

// Gone returns the projects that were found to be gone after the given time.
func (b *Run) Gone(ctx context.Context, after time.Time) (map[string]bool, error) {
	const q = `SELECT object FROM findings WHERE reason = 'project_gone' AND seen_at > $1`
	rows, err := b.db.pool.Query(ctx, q, after)
	if err != nil {
		return nil, fmt.Errorf("read projects that are gone: %w", err)
	}
	gone := map[string]bool{}
	var id string
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { gone[id] = true; return nil }); err != nil {
		return nil, fmt.Errorf("read projects that are gone: %w", err)
	}
	return gone, nil
}

// ForgetProjects deletes the findings about unreachable projects that no removal has confirmed since the given time, and those
// about projects that left neither backups nor volumes for which backups are asked.
func (b *Run) ForgetProjects(ctx context.Context, before time.Time) error {
	q := `
		DELETE FROM findings f WHERE reason = ANY($2) AND (seen_at < $1 OR NOT EXISTS (
			SELECT FROM records r WHERE r.project_id = f.object
				AND ` + hasBackup + `)
			AND NOT EXISTS (SELECT FROM volumes v WHERE v.project_id = f.object AND v.gone_at IS NULL AND v.protected AND v.reason = 'project_gone'))`
	err := b.inTerm(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, q, before, projectFindings); return err })
	if err != nil {
		return fmt.Errorf("forget findings of projects: %w", err)
	}
	return nil
}

// EndGoneProjects deletes the findings about deleted projects that Keystone knows again, and those that this plan no longer saw
// and that left neither backups nor protected volumes.
func (b *Run) EndGoneProjects(ctx context.Context, known []string) error {
	q := `
		DELETE FROM findings f WHERE reason = 'project_gone' AND (object = ANY($2) OR seen_at < $1
			AND NOT EXISTS (SELECT FROM records r WHERE r.project_id = f.object AND ` + hasBackup + `)
			AND NOT EXISTS (SELECT FROM volumes v WHERE v.project_id = f.object AND v.gone_at IS NULL AND v.protected))`
	err := b.inTerm(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, q, b.Now, known); return err })
	if err != nil {
		return fmt.Errorf("end findings about deleted projects: %w", err)
	}
	return nil
}
