package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A FewVolume is a volume in a project that once had the promised number of restore points and may have fewer now.
type FewVolume struct {
	ProjectID, ProjectName string
	ServerID, ServerName   string
	VolumeID, VolumeName   string
	Ever                   int        // restore points ever created
	EndedAt                *time.Time // when its protection in the project ended; nil: it is protected
	Points                 int        `db:"-"` // restore points that can be restored
}

// FewVolumes returns those volumes that are protected or whose protection ended; an empty ID means all projects. It reads
// nothing further about volumes that have enough restore points and lost none.
func (l *Snapshot) FewVolumes(ctx context.Context, projectID string, promised int) ([]FewVolume, error) {
	q := `
		SELECT f.*, c.ended_at FROM (
			SELECT id AS volume_id, project_id, NULL::timestamptz AS ended_at FROM volumes WHERE protected AND gone_at IS NULL AND ($1 = '' OR project_id = $1)
			UNION ALL SELECT volume_id, project_id, ended_at FROM protection_ends WHERE $1 = '' OR project_id = $1) c
		CROSS JOIN LATERAL (
			SELECT project_id, volume_id, max(project_name) AS project_name, (array_agg(server_id ORDER BY planned_at DESC))[1] AS server_id,
				(array_agg(server_name ORDER BY planned_at DESC))[1] AS server_name, (array_agg(volume_name ORDER BY planned_at DESC))[1] AS volume_name, count(*)::int AS ever
			FROM records WHERE volume_id = c.volume_id AND project_id = c.project_id AND available_at IS NOT NULL
			GROUP BY project_id, volume_id HAVING count(*) >= $2) f
		WHERE (SELECT count(*) FROM (SELECT FROM records r WHERE r.volume_id = c.volume_id AND r.project_id = c.project_id AND ` + isAvailable + ` LIMIT $2) points) < $2
			OR EXISTS (SELECT FROM records r WHERE r.volume_id = c.volume_id AND r.project_id = c.project_id AND ` + isLost + `)
		ORDER BY f.project_id, f.volume_id`
	if promised <= 0 {
		return nil, nil
	}
	rows, err := l.tx.Query(ctx, q, projectID, promised)
	if err != nil {
		return nil, fmt.Errorf("read volumes with few restore points: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[FewVolume])
	if err != nil {
		return nil, fmt.Errorf("read volumes with few restore points: %w", err)
	}
	ids := make([]string, len(all))
	for i, v := range all {
		ids[i] = v.VolumeID
	}
	records, err := l.records(ctx, "few", `SELECT `+recordColumns+` FROM records WHERE volume_id = ANY($1) AND `+mayBeInCinder, ids)
	if err != nil {
		return nil, err
	}
	links := map[[2]string][]backup.Link{}
	for _, r := range records {
		if one, held := r.Link(backup.Retention{}); held {
			key := [2]string{r.ProjectID, r.VolumeID}
			links[key] = append(links[key], one)
		}
	}
	for i := range all {
		all[i].Points = len(backup.Restorable(links[[2]string{all[i].ProjectID, all[i].VolumeID}]))
	}
	return all, nil
}
