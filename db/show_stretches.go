package db

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// firstPosition and lastPosition are before and after every link.
var (
	firstPosition = linkPosition{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), ""}
	lastPosition  = linkPosition{time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), ""}
)

// chainsOf returns the chains of the records.
func (l *Snapshot) chainsOf(ctx context.Context, records []backup.Record) ([]linkRange, error) {
	starts := make([]linkRange, 0, len(records))
	for _, r := range records {
		if _, is := r.Link(backup.Retention{}); is {
			starts = append(starts, linkRange{volume: r.VolumeID, project: r.ProjectID, from: linkPosition{CursorOf(r).At, r.BackupID}})
		}
	}
	return l.chainsAt(ctx, starts)
}

// chainsAt returns, for each range, the chain that contains its beginning.
func (l *Snapshot) chainsAt(ctx context.Context, starts []linkRange) ([]linkRange, error) {
	q := `
		SELECT s.volume, s.project, coalesce(f.at, $5), coalesce(f.id, ''), coalesce(t.at, $6), coalesce(t.id, '')
		FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) WITH ORDINALITY AS s (volume, project, at, id, n)
		LEFT JOIN LATERAL (SELECT ` + cursorAt + ` AS at, backup_id AS id FROM records WHERE volume_id = s.volume AND project_id = s.project AND ` + isHead + `
			AND ` + linkOrder + ` <= (s.at, s.id) ORDER BY ` + cursorAt + ` DESC, backup_id COLLATE "C" DESC LIMIT 1) f ON true
		LEFT JOIN LATERAL (SELECT ` + cursorAt + ` AS at, backup_id AS id FROM records WHERE volume_id = s.volume AND project_id = s.project AND ` + isHead + `
			AND ` + linkOrder + ` > (s.at, s.id) ORDER BY ` + cursorAt + `, backup_id COLLATE "C" LIMIT 1) t ON true ORDER BY s.n`
	c := newColumns(4, len(starts))
	for _, s := range starts {
		c.add(s.volume, s.project, s.from.at, s.from.id)
	}
	return l.linkRanges(ctx, q, append(c.args(), firstPosition.at, lastPosition.at)...)
}

// newestChains returns, for the volumes and projects of the ranges, the newest links from the n-th newest usable full on.
func (l *Snapshot) newestChains(ctx context.Context, parts []linkRange, n int) ([]linkRange, error) {
	q := `
		SELECT s.volume, s.project, coalesce(f.at, $3), coalesce(f.id, ''), $4::timestamptz, ''
		FROM unnest($1::text[], $2::text[]) AS s (volume, project)
		LEFT JOIN LATERAL (SELECT true AS misdated FROM records WHERE volume_id = s.volume AND project_id = s.project AND cinder_timestamp <> ` + cursorAt + `
			ORDER BY ` + cursorAt + ` LIMIT 1) m ON true -- the order is that of its index, which EXISTS may not take
		LEFT JOIN LATERAL (SELECT ` + cursorAt + ` AS at, backup_id AS id FROM records WHERE volume_id = s.volume AND project_id = s.project AND ` + isHead + `
			AND ` + isRestorePoint + `
			ORDER BY ` + cursorAt + ` DESC, backup_id COLLATE "C" DESC OFFSET $5 LIMIT 1) f ON misdated IS NULL`
	c, seen := newColumns(2, len(parts)), map[[2]string]bool{}
	for _, s := range parts {
		if of := [2]string{s.volume, s.project}; !seen[of] {
			seen[of] = true
			c.add(s.volume, s.project)
		}
	}
	return l.linkRanges(ctx, q, append(c.args(), firstPosition.at, lastPosition.at, n-1)...)
}

func (l *Snapshot) linkRanges(ctx context.Context, q string, args ...any) ([]linkRange, error) {
	rows, err := l.tx.Query(ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("read where chains begin: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s linkRange, err error) {
		return s, row.Scan(&s.volume, &s.project, &s.from.at, &s.from.id, &s.to.at, &s.to.id)
	})
	if err != nil {
		return nil, fmt.Errorf("read where chains begin: %w", err)
	}
	return found, nil
}

// merged returns the ranges sorted and without overlap.
func merged(parts []linkRange) []linkRange {
	slices.SortFunc(parts, func(a, b linkRange) int {
		return cmp.Or(cmp.Compare(a.volume, b.volume), cmp.Compare(a.project, b.project), a.from.at.Compare(b.from.at), cmp.Compare(a.from.id, b.from.id))
	})
	var result []linkRange
	for _, s := range parts {
		if n := len(result); n > 0 && result[n-1].volume == s.volume && result[n-1].project == s.project && !result[n-1].to.before(s.from) {
			if result[n-1].to.before(s.to) {
				result[n-1].to = s.to
			}
			continue
		}
		result = append(result, s)
	}
	return result
}
