package db

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"staffeln/internal/visible"
)

// Targets returns the volumes that an ID or name means: one volume, or the protected volumes of a server. IDs come before
// names, because tenants choose the names and could use the ID of another object. Next, volumes come before servers. It
// returns [ErrUnknownVolume] if nothing matches, and an [AmbiguousError] if several objects match.
func (l *Snapshot) Targets(ctx context.Context, idOrName string) ([]Volume, error) {
	const q = `SELECT ` + volumeColumns + ` FROM volumes WHERE (server_id = $1 OR server_name = $1) AND protected AND gone_at IS NULL ORDER BY name, id`
	v, err := l.Volume(ctx, idOrName)
	if several := new(AmbiguousError); err != nil && !errors.Is(err, ErrUnknownVolume) && !errors.As(err, several) {
		return nil, err
	}
	of, failed := l.volumes(ctx, q, storable(idOrName))
	if failed != nil {
		return nil, failed
	}
	byID := slices.DeleteFunc(slices.Clone(of), func(v Volume) bool { return v.ServerID != idOrName })
	switch {
	case err == nil && v.ID == idOrName:
		return []Volume{v}, nil
	case len(byID) > 0:
		return byID, nil
	case err == nil:
		return []Volume{v}, nil
	case len(of) == 0 || !errors.Is(err, ErrUnknownVolume):
		return nil, err
	}
	servers := AmbiguousError{What: "servers"}
	for _, v := range of {
		if !slices.Contains(servers.IDs, v.ServerID) {
			servers.IDs = append(servers.IDs, v.ServerID)
		}
	}
	if len(servers.IDs) > 1 {
		return nil, servers
	}
	return of, nil
}

// A Project is a project by the ID and name in volumes and records; an empty ID means all projects.
type Project struct{ ID, Name string }

// String returns a text for people.
func (p Project) String() string {
	if p.ID == "" {
		return "all projects"
	}
	return "project " + visible.Named(p.Name, p.ID)
}

// ErrUnknownProject means that no volume and no record belongs to such a project.
var ErrUnknownProject = errors.New("no volume or backup of such a project is known")

// Project returns the project with that ID, or else the one with that name. It returns an [AmbiguousError] if several projects
// have the name.
func (l *Snapshot) Project(ctx context.Context, idOrName string) (Project, error) {
	const q = `
		SELECT project_id AS id, max(project_name) AS name FROM (
			SELECT project_id, project_name FROM volumes UNION SELECT project_id, project_name FROM records) known
		WHERE project_id = $1 OR project_name = $1 GROUP BY project_id ORDER BY project_id <> $1, project_id`
	rows, err := l.tx.Query(ctx, q, storable(idOrName))
	if err != nil {
		return Project{}, fmt.Errorf("read projects: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Project])
	if err != nil {
		return Project{}, fmt.Errorf("read projects: %w", err)
	}
	switch {
	case len(found) == 0:
		return Project{}, ErrUnknownProject
	case len(found) == 1 || found[0].ID == idOrName:
		return found[0], nil
	}
	several := AmbiguousError{What: "projects"}
	for _, p := range found {
		several.IDs = append(several.IDs, p.ID)
	}
	return Project{}, several
}

// An OrphanedProject is a project that may be deleted, and the backups that it may still have in Cinder.
type OrphanedProject struct {
	Project

	Backups, GiB int
}

// OrphanedProjects returns every project with the backups in our records. Only Keystone knows which projects are gone: volumes of a
// gone project may still exist.
func (l *Snapshot) OrphanedProjects(ctx context.Context) ([]OrphanedProject, error) {
	q := `
		SELECT r.project_id AS id, max(r.project_name) AS name, count(*)::int AS backups, sum(r.size_gib)::int AS gib FROM records r
		WHERE ` + hasBackup + `
		GROUP BY r.project_id ORDER BY name, id`
	rows, err := l.tx.Query(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("read what projects left: %w", err)
	}
	left, err := pgx.CollectRows(rows, pgx.RowToStructByName[OrphanedProject])
	if err != nil {
		return nil, fmt.Errorf("read what projects left: %w", err)
	}
	return left, nil
}

// VolumesIn returns the volumes of a project that are not gone, as the newest plan saw them.
func (l *Snapshot) VolumesIn(ctx context.Context, projectID string) ([]Volume, error) {
	return l.volumes(ctx, `SELECT `+withEnds+` FROM volumes WHERE project_id = $1 AND gone_at IS NULL ORDER BY name, id`, projectID)
}

// VolumesOf returns the volumes that records of a project refer to.
func (l *Snapshot) VolumesOf(ctx context.Context, projectID string) ([]Volume, error) {
	const q = `SELECT ` + withEnds + ` FROM volumes WHERE id IN (SELECT volume_id FROM records WHERE project_id = $1) ORDER BY name, id`
	return l.volumes(ctx, q, projectID)
}
