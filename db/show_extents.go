package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"staffeln/backup"
)

// An Extent has the number of links that a project has of a volume, how many of them are restore points, and the retentions of
// their records.
type Extent struct {
	ProjectID     string
	Links, Points int
	Retentions    []backup.Period
}

// Extents returns the extents of a volume; if project is set, of that project only.
func (l *Snapshot) Extents(ctx context.Context, volumeID, project string) ([]Extent, error) {
	q := Part{Project: project}.query(isLink)
	q.where(true, `volume_id = @volume`, "volume", storable(volumeID))
	rows, err := l.tx.Query(ctx, `
		SELECT project_id, sum(links)::int, sum(points)::int, array_agg(retention) FROM (
			SELECT project_id, retention, count(*) AS links, count(*) FILTER (WHERE `+isRestorePoint+`) AS points
			FROM records`+q.text()+` GROUP BY project_id, retention) alike
		GROUP BY project_id ORDER BY project_id`, q.args)
	if err != nil {
		return nil, fmt.Errorf("count links: %w", err)
	}
	extents, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Extent, err error) {
		var retentions []pgtype.Interval
		err = row.Scan(&e.ProjectID, &e.Links, &e.Points, &retentions)
		for _, r := range retentions {
			e.Retentions = append(e.Retentions, fromInterval(r))
		}
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("count links: %w", err)
	}
	return extents, nil
}

// A Span is a part of a volume's links: the newest ones, before a position if one is given, and the oldest ones.
type Span struct {
	Newest, Oldest int
	Before         *Cursor // its ID is that of the backup
	Floor          int
}

// HeldWithin returns the same as [Snapshot.HeldAround] for the links in a span of a volume, in each of the projects, and for
// all links that are being created or removed or ended in error. The chains are complete, so a forecast is the same as with
// all links.
//
// It also returns, for each project, the time before which no link is missing. Projects without missing links are not in that
// map.
func (l *Snapshot) HeldWithin(ctx context.Context, volumeID string, projects []Extent, s Span) ([]backup.Record, map[string]time.Time, error) {
	until := linkPosition{lastPosition.at, lastPosition.id}
	if s.Before != nil {
		until = linkPosition{s.Before.At, s.Before.ID}
	}
	known, parts, starts, named := map[string]time.Time{}, []linkRange{}, []linkRange{}, []string{}
	nth := `SELECT ` + cursorAt + ` AS at, backup_id AS id FROM records WHERE volume_id = $1 AND project_id = $2 AND ` + isLink
	for _, p := range projects {
		named = append(named, p.ProjectID)
		of := linkRange{volume: volumeID, project: p.ProjectID, from: firstPosition, to: lastPosition}
		oldest, ok, err := l.positionOf(ctx, nth+` ORDER BY `+cursorAt+`, backup_id COLLATE "C" OFFSET $3 LIMIT 1`, volumeID, p.ProjectID, s.Oldest-1)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			parts = append(parts, of)
			continue
		}
		known[p.ProjectID] = oldest.at
		newest, _, err := l.positionOf(ctx, nth+` AND `+linkOrder+` < ($4, $5) ORDER BY `+cursorAt+` DESC, backup_id COLLATE "C" DESC OFFSET $3 LIMIT 1`,
			volumeID, p.ProjectID, s.Newest-1, until.at, until.id)
		if err != nil {
			return nil, nil, err
		}
		at := func(p linkPosition) linkRange { of.from = p; return of }
		around, err := l.chainsAt(ctx, []linkRange{at(oldest), at(newest), at(until)})
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, linkRange{of.volume, of.project, firstPosition, around[0].to}, linkRange{of.volume, of.project, around[1].from, around[2].to})
	}
	unsettled, err := l.links(ctx, `SELECT `+linkColumns+` FROM records WHERE volume_id = $1 AND project_id = ANY($2) AND `+isUnsettledLink, volumeID, named)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range unsettled {
		starts = append(starts, linkRange{volume: volumeID, project: r.ProjectID, from: linkPosition{CursorOf(r).At, r.BackupID}})
	}
	unsettledChains, err := l.chainsAt(ctx, starts)
	if err != nil {
		return nil, nil, err
	}
	parts = append(parts, unsettledChains...)
	newest, err := l.newestChains(ctx, parts, max(s.Floor, 1))
	if err != nil {
		return nil, nil, err
	}
	held, err := l.linksIn(ctx, append(parts, newest...))
	return slices.DeleteFunc(held, func(r backup.Record) bool { return !slices.Contains(named, r.ProjectID) }), known, err
}

// positionOf reads the position of a link; ok is false if there is no such link.
func (l *Snapshot) positionOf(ctx context.Context, q string, args ...any) (p linkPosition, ok bool, err error) {
	rows, err := l.tx.Query(ctx, q, args...)
	if err != nil {
		return p, false, fmt.Errorf("read where chains begin: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p linkPosition, err error) { return p, row.Scan(&p.at, &p.id) })
	if err != nil {
		return p, false, fmt.Errorf("read where chains begin: %w", err)
	}
	if len(found) == 0 {
		return firstPosition, false, nil
	}
	return found[0], true, nil
}
