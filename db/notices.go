package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/rs/zerolog"

	"staffeln/backup"
)

// NoticeContent is what a notice stores about its volume, as the project knew it when the condition began. It never contains
// data of a later owner of the volume.
type NoticeContent struct {
	ProjectName string         `json:"project_name"`
	VolumeName  string         `json:"volume_name"`
	ServerID    string         `json:"server_id"`
	ServerName  string         `json:"server_name"`
	Since       time.Time      `json:"since"`
	Reason      backup.Reason  `json:"reason,omitempty"`   // why the protection ended
	InForce     *backup.Period `json:"in_force,omitempty"` // retention
	Shorter     *backup.Period `json:"shorter,omitempty"`  // shorter retention that has not taken effect yet
}

// withoutNotice holds for a condition (kind $3, project, volume, since) without a notice. A condition that ends and begins
// again gets at most one notice per period ($2), and one after the period if it still holds then.
const withoutNotice = `NOT EXISTS (SELECT FROM notices n WHERE n.kind = $3 AND n.project_id = c.project_id AND n.volume_id = c.volume_id
	AND (n.created_at >= c.since OR n.created_at > $1::timestamptz - $2::interval))`

// noticeConditions are the conditions that require a notice.
var noticeConditions = []struct {
	kind  backup.Reason
	query string
}{
	// The names come from the project's own records: the volume's row may belong to another project by now.
	{backup.ProtectionEnded, `
		SELECT c.project_id, c.volume_id, c.since, c.reason, r.project_name, r.volume_name, c.server_id, c.server_name, NULL::interval AS in_force, NULL::interval AS shorter
		FROM (SELECT project_id, volume_id, ended_at AS since, reason, server_id, server_name FROM protection_ends) c CROSS JOIN LATERAL (
			SELECT project_name, volume_name FROM records WHERE volume_id = c.volume_id AND project_id = c.project_id
				AND available_at IS NOT NULL AND ` + isInCinder + ` ORDER BY planned_at DESC LIMIT 1) r
		WHERE ` + withoutNotice},
	{backup.RetentionShortened, `
		SELECT c.project_id, c.volume_id, c.since, '' AS reason, c.project_name, c.volume_name, c.server_id, c.server_name, c.in_force, c.shorter
		FROM (SELECT project_id, id AS volume_id, shorter_retention_since AS since, project_name, name AS volume_name, server_id, server_name,
			retention AS in_force, shorter_retention AS shorter FROM volumes WHERE shorter_retention IS NOT NULL AND gone_at IS NULL) c
		WHERE ` + withoutNotice},
}

// Notify writes a notice for each condition that has none: protection that ended, or a shorter retention that waits. If a plan
// stored a condition but could not write the notice, the next plan does. A volume without any restore point gets no notice
// when its protection ends. It returns the number of notices.
func (b *Run) Notify(ctx context.Context, period time.Duration) (int, error) {
	written := 0
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		for _, c := range noticeConditions {
			rows, err := tx.Query(ctx, c.query, b.Now, period, string(c.kind))
			if err != nil {
				return err
			}
			all, err := pgx.CollectRows(rows, pgx.RowToStructByName[condition])
			if err != nil {
				return err
			}
			for part := range chunks(all) {
				if err := b.writeNotices(ctx, tx, c.kind, part); err != nil {
					return err
				}
			}
			if written += len(all); len(all) > 0 {
				zerolog.Ctx(ctx).Warn().Str("reason", string(c.kind)).Int("volumes", len(all)).Msg("notices written")
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("write notices: %w", err)
	}
	return written, nil
}

// condition is a condition that requires a notice.
type condition struct {
	ProjectID, VolumeID     string
	Since                   time.Time
	Reason                  backup.Reason
	ProjectName, VolumeName string
	ServerID, ServerName    string
	InForce, Shorter        pgtype.Interval
}

func (b *Run) writeNotices(ctx context.Context, tx pgx.Tx, kind backup.Reason, part []condition) error {
	const q = `
		INSERT INTO notices (created_at, kind, project_id, volume_id, content)
		SELECT $4, $5, * FROM unnest($1::text[], $2::text[], $3::text[]::jsonb[])`
	c := newColumns(3, len(part))
	for _, one := range part {
		content := NoticeContent{one.ProjectName, one.VolumeName, one.ServerID, one.ServerName, one.Since.UTC(), one.Reason, nil, nil}
		if one.Shorter.Valid {
			content.InForce, content.Shorter = new(fromInterval(one.InForce)), new(fromInterval(one.Shorter))
		}
		text, err := json.Marshal(content)
		if err != nil {
			return err
		}
		c.add(one.ProjectID, one.VolumeID, string(text))
	}
	_, err := tx.Exec(ctx, q, append(c.args(), b.Now, string(kind))...)
	return err
}

// UnsentNotices returns the projects with notices that are not in a mail yet, and whether there are such notices for the
// operator.
func (b *Run) UnsentNotices(ctx context.Context) (projects []string, operator bool, err error) {
	const q = `SELECT ARRAY(SELECT DISTINCT project_id FROM notices WHERE report_id IS NULL), EXISTS (SELECT FROM notices WHERE operator_report_id IS NULL)`
	if err := b.db.pool.QueryRow(ctx, q).Scan(&projects, &operator); err != nil {
		return nil, false, fmt.Errorf("read unsent notices: %w", err)
	}
	return projects, operator, nil
}
