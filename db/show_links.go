package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
)

// linkColumns are only the columns that a forecast and the display of pending requests need: a volume may have many thousands
// of links.
const linkColumns = `id, project_id, volume_id, state, kind, size_gib, retention, planned_at, created_at, requested_at, available_at, data_timestamp, cinder_timestamp,
	backup_id, backup_name, cinder_status, removal_reason, removal_text, deletion_requested_at, next_try_at, ended_at`

func toLink(row pgx.CollectableRow) (r backup.Record, err error) {
	var retention pgtype.Interval
	var backupID *string
	err = row.Scan(&r.ID, &r.ProjectID, &r.VolumeID, &r.State, &r.Kind, &r.SizeGiB, &retention, &r.PlannedAt, &r.CreatedAt, &r.RequestedAt, &r.AvailableAt, &r.DataTimestamp, &r.CinderTimestamp,
		&backupID, &r.BackupName, &r.CinderStatus, &r.RemovalReason, &r.RemovalText, &r.DeletionRequestedAt, &r.NextTryAt, &r.EndedAt)
	r.Retention = fromInterval(retention)
	if backupID != nil {
		r.BackupID = *backupID
	}
	return r, err
}

// linkOrder is the position of a link in the order of its volume and project.
const linkOrder = `(` + cursorAt + `, backup_id COLLATE "C")`

// HeldOf returns the records of a volume that Cinder may hold a backup of, and the one in progress, with only the columns that
// a forecast needs. If project is set, it returns only that project's.
func (l *Snapshot) HeldOf(ctx context.Context, volumeID, project string) ([]backup.Record, error) {
	of := ``
	args := []any{volumeID}
	if project != "" {
		of, args = ` AND project_id = $2`, append(args, project)
	}
	q := `SELECT ` + linkColumns + ` FROM records WHERE volume_id = $1 AND ` + isLink + of + `
		UNION ALL SELECT ` + linkColumns + ` FROM records WHERE volume_id = $1 AND ` + isWithoutBackupID + of
	return l.links(ctx, q, args...)
}

func (l *Snapshot) links(ctx context.Context, q string, args ...any) ([]backup.Record, error) {
	rows, err := l.tx.Query(ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	records, err := pgx.CollectRows(rows, toLink)
	if err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	return records, nil
}

// A linkRange is a contiguous part of the links of a volume in a project.
type linkRange struct {
	volume, project string
	from, to        linkPosition // to is excluded
}

type linkPosition struct {
	at time.Time
	id string
}

func (p linkPosition) before(q linkPosition) bool {
	return p.at.Before(q.at) || p.at.Equal(q.at) && p.id < q.id
}

// HeldAround returns, by volume, the records that the forecast of the given records depends on: their chains, the newest
// chains down to the floor, and the backups in progress. If Cinder's clock was wrong, or there are fewer fulls than the floor,
// it returns all links of the volume in the project.
//
// A chain ends where the next full begins. The newest links, from as many usable fulls on as the floor needs, contain the
// floor; a forecast reads no other chain.
func (l *Snapshot) HeldAround(ctx context.Context, records []backup.Record, floor int) (map[string][]backup.Record, error) {
	parts, err := l.chainsOf(ctx, records)
	if err != nil {
		return nil, err
	}
	newest, err := l.newestChains(ctx, parts, max(floor, 1))
	if err != nil {
		return nil, err
	}
	found, err := l.linksIn(ctx, append(parts, newest...))
	held := map[string][]backup.Record{}
	for _, r := range found {
		held[r.VolumeID] = append(held[r.VolumeID], r)
	}
	return held, err
}

// linksIn returns the links in the ranges, and the backups in progress of their volumes.
func (l *Snapshot) linksIn(ctx context.Context, parts []linkRange) ([]backup.Record, error) {
	parts = merged(parts)
	c, volumes := newColumns(6, len(parts)), []string{}
	for _, s := range parts {
		c.add(s.volume, s.project, s.from.at, s.from.id, s.to.at, s.to.id)
		volumes = append(volumes, s.volume)
	}
	q := `
		SELECT r.* FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::text[]) AS s (volume, project, from_at, from_id, to_at, to_id)
		CROSS JOIN LATERAL (SELECT ` + linkColumns + ` FROM records WHERE volume_id = s.volume AND project_id = s.project AND ` + isLink + `
			AND ` + linkOrder + ` >= (s.from_at, s.from_id) AND ` + linkOrder + ` < (s.to_at, s.to_id) OFFSET 0) r
		UNION ALL SELECT ` + linkColumns + ` FROM records WHERE volume_id = ANY($7) AND ` + isWithoutBackupID
	// A few links of many are best read in the order of their index. Postgres cannot know that they are few, and would rather
	// scan all links of the volume.
	if _, err := l.tx.Exec(ctx, `SET LOCAL enable_bitmapscan = off`); err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	found, err := l.links(ctx, q, append(c.args(), volumes)...)
	if err != nil {
		return nil, err
	}
	if _, err := l.tx.Exec(ctx, `RESET enable_bitmapscan`); err != nil {
		return nil, fmt.Errorf("read links: %w", err)
	}
	return found, nil
}
