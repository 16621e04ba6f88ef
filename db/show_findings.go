package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
	"staffeln/internal/visible"
)

const (
	findingColumns = `SELECT reason, object, project_id, object_name, volume_id, detail, since FROM findings`
	newestFinding  = ` ORDER BY since DESC, reason, object`
)

// projectName is a lateral join of the name that a volume or a record of a project has: p.name, null if none is known.
func projectName(id string) string {
	return `LEFT JOIN LATERAL ((SELECT project_name AS name FROM volumes WHERE project_id = ` + id + ` AND project_name <> '' LIMIT 1)
		UNION ALL (SELECT project_name FROM records WHERE project_id = ` + id + ` AND project_name <> '' LIMIT 1) LIMIT 1) p ON true`
}

// sqlNamed is the form of [visible.Named] in SQL.
func sqlNamed(name, id string) string {
	return `coalesce(nullif(` + name + `, '') || ' (' || ` + id + ` || ')', ` + id + `)`
}

// FindingsIn returns a part of the findings, newest first.
func (l *Snapshot) FindingsIn(ctx context.Context, p Part) ([]KeptFinding, error) {
	q := p.query()
	return l.findings(ctx, findingColumns+q.text()+newestFinding+limit, q.args)
}

// FindingsAbout returns the findings about these objects or with this reason; an empty project means all projects.
func (l *Snapshot) FindingsAbout(ctx context.Context, project string, objects []string, reason backup.Reason) ([]KeptFinding, error) {
	q := Part{Project: project}.query()
	q.where(true, `(object = ANY(@objects) OR volume_id = ANY(@objects) OR reason = @reason)`, "objects", objects)
	q.args["reason"] = reason
	return l.findings(ctx, findingColumns+q.text()+newestFinding, q.args)
}

// findings reads listed findings and adds the names. A volume that another project owns by now may have another name there,
// which its old project must not see.
func (l *Snapshot) findings(ctx context.Context, listed string, args pgx.NamedArgs) ([]KeptFinding, error) {
	q := `
		WITH f AS (` + listed + `)
		SELECT f.reason, f.object, f.project_id, f.volume_id, f.detail, f.since, coalesce(p.name, '') AS project_name, coalesce(v.name, '') AS volume_name,
			coalesce(nullif(f.object_name, ''), CASE f.object WHEN f.project_id THEN p.name WHEN f.volume_id THEN v.name END,
				(SELECT backup_name FROM records WHERE backup_id = f.object), '') AS object_name
		FROM f ` + projectName("f.project_id") + `
			LEFT JOIN LATERAL ((SELECT name FROM volumes WHERE id = f.volume_id AND project_id = f.project_id)
				UNION ALL (SELECT volume_name FROM records WHERE volume_id = f.volume_id AND project_id = f.project_id ORDER BY planned_at DESC LIMIT 1) LIMIT 1) v ON true
		ORDER BY f.since DESC, f.reason, f.object`
	rows, err := l.tx.Query(ctx, q, args)
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[KeptFinding])
	if err != nil {
		return nil, fmt.Errorf("read findings: %w", err)
	}
	return found, nil
}

// ProjectNamed returns the project with that ID and the name that a volume or a record of it has; without one only the ID is known.
func (l *Snapshot) ProjectNamed(ctx context.Context, id string) (p Project, err error) {
	q := `SELECT i.id, coalesce(p.name, '') FROM (SELECT $1::text) AS i (id) ` + projectName("i.id")
	if err := l.tx.QueryRow(ctx, q, storable(id)).Scan(&p.ID, &p.Name); err != nil {
		return Project{}, fmt.Errorf("read project: %w", err)
	}
	return p, nil
}

// ProjectsNamed returns the projects by name and ID.
func (b *Run) ProjectsNamed(ctx context.Context, ids []string) ([]string, error) {
	q := `SELECT i.id, coalesce(p.name, '') AS name FROM unnest($1::text[]) WITH ORDINALITY AS i (id, n) ` + projectName("i.id") + ` ORDER BY i.n`
	rows, err := b.db.pool.Query(ctx, q, ids)
	if err != nil {
		return nil, fmt.Errorf("read names of projects: %w", err)
	}
	names, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		p, err := pgx.RowToStructByName[Project](row)
		return visible.Named(p.Name, p.ID), err
	})
	if err != nil {
		return nil, fmt.Errorf("read names of projects: %w", err)
	}
	return names, nil
}
