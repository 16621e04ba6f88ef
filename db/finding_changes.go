package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// FindingChanges are the findings that the webhook's receiver does not know to be new, or to have ended.
type FindingChanges struct {
	New   []KeptFinding
	Ended []ReportedFinding
}

// A ReportedFinding is one that the receiver got, with what it got.
type ReportedFinding struct {
	Reason, Object, ProjectID string
	Since                     time.Time
	Content                   json.RawMessage
}

// sameFinding joins findings f with reported ones r. One that ended and began again has another time.
const sameFinding = `f.reason = r.reason AND f.object = r.object AND f.project_id = r.project_id AND f.since = r.since`

// FindingChanges returns up to most new findings, the oldest first, and as many ended ones.
func (d *DB) FindingChanges(ctx context.Context, most int) (changes FindingChanges, err error) {
	err = d.Snapshot(ctx, func(l *Snapshot) error {
		rows, err := l.tx.Query(ctx, `SELECT reason, object, project_id, since, content FROM reported_findings r
			WHERE NOT EXISTS (SELECT FROM findings f WHERE `+sameFinding+`) ORDER BY since, reason, object, project_id LIMIT $1`, most)
		if err != nil {
			return err
		}
		if changes.Ended, err = pgx.CollectRows(rows, pgx.RowToStructByName[ReportedFinding]); err != nil {
			return err
		}
		changes.New, err = l.findings(ctx, findingColumns+` f WHERE NOT EXISTS (SELECT FROM reported_findings r WHERE `+sameFinding+`)
			ORDER BY since, reason, object, project_id LIMIT @most`, pgx.NamedArgs{"most": most})
		return err
	})
	if err != nil {
		return FindingChanges{}, fmt.Errorf("read changes of findings: %w", err)
	}
	return changes, nil
}

// FindingsReported records that the receiver has the changes; contents are what it got of the new ones.
func (b *Run) FindingsReported(ctx context.Context, changes FindingChanges, contents []json.RawMessage) error {
	ended, reported := newColumns(3, len(changes.Ended)), newColumns(4, len(changes.New))
	for _, f := range changes.Ended {
		ended.add(f.Reason, f.Object, f.ProjectID)
	}
	times := make([]time.Time, len(changes.New))
	for i, f := range changes.New {
		reported.add(string(f.Reason), f.Object, f.ProjectID, string(contents[i]))
		times[i] = f.Since
	}
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM reported_findings r USING unnest($1::text[], $2::text[], $3::text[]) AS e (reason, object, project_id)
			WHERE (r.reason, r.object, r.project_id) = (e.reason, e.object, e.project_id)`, ended.args()...)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO reported_findings (reason, object, project_id, content, since)
			SELECT n.reason, n.object, n.project_id, n.content::jsonb, n.since FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS n (reason, object, project_id, content, since)
			ON CONFLICT (reason, object, project_id) DO UPDATE SET content = excluded.content, since = excluded.since`, append(reported.args(), times)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("record reported findings: %w", err)
	}
	return nil
}
