package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A Notice is one condition of one volume that the project or the operator was not mailed about yet, with the current state of
// the volume's restore points.
type Notice struct {
	ID                  int64
	Kind                backup.Reason
	ProjectID, VolumeID string
	Content             NoticeContent

	Points   int        // number of the project's restore points of the volume
	LastEnd  *time.Time // when the last of them expires
	Expiring int        // restore points that the shorter retention removes when it takes effect, and that would otherwise be retained
	Holds    bool       // whether the condition still holds
}

// Notices returns the unsent notices of the leased group; the group of all projects gets the operator's notices. A shorter
// retention takes effect after the delay.
func (c *ReportLease) Notices(ctx context.Context, delay time.Duration) ([]Notice, error) {
	const q = `
		SELECT n.id, n.kind, n.project_id, n.volume_id, n.content, coalesce(points, 0) AS points, last_end, coalesce(expiring, 0) AS expiring, CASE n.kind
			WHEN 'protection_ended' THEN EXISTS (SELECT FROM protection_ends e WHERE e.volume_id = n.volume_id AND e.project_id = n.project_id)
			ELSE v.shorter_retention IS NOT NULL END AS holds
		FROM notices n LEFT JOIN volumes v ON v.id = n.volume_id AND v.project_id = n.project_id CROSS JOIN LATERAL (
			SELECT count(*)::int AS points, max(data_timestamp + kept) AS last_end,
				count(*) FILTER (WHERE data_timestamp + v.shorter_retention <= v.shorter_retention_since + @delay::interval AND data_timestamp + kept > v.shorter_retention_since + @delay::interval)::int AS expiring
			FROM (SELECT data_timestamp, ` + retentionInForce + ` AS kept FROM records r
				WHERE r.volume_id = n.volume_id AND r.project_id = n.project_id AND ` + isAvailable + `) r) left_over
		WHERE CASE WHEN @project = '' THEN operator_report_id IS NULL ELSE report_id IS NULL AND n.project_id = @project END
		ORDER BY n.kind, n.project_id, n.id LIMIT 10000`
	rows, err := c.db.pool.Query(ctx, q, pgx.NamedArgs{"project": projectOf(c.Group), "delay": delay})
	if err != nil {
		return nil, fmt.Errorf("read unsent notices to %s: %w", c.Group, err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Notice])
	if err != nil {
		return nil, fmt.Errorf("read unsent notices to %s: %w", c.Group, err)
	}
	return all, nil
}

// MakeNotice stores a mail about these notices. If one of them is already in another mail, it stores nothing and returns
// [ErrStale]. logged reports that the log is the only receiver, so no project gets a mail.
func (c *ReportLease) MakeNotice(ctx context.Context, r NewReport, notices []int64, logged bool) error {
	err := c.inLease(ctx, func(tx pgx.Tx) error {
		if err := c.store(ctx, tx, kindNotice, r); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, inOrder("notices", `id = ANY($1)`)+lockOnly, notices); err != nil {
			return err
		}
		q := `UPDATE notices SET report_id = $1 WHERE id = ANY($2) AND report_id IS NULL`
		if c.Group == AllProjects {
			q = `UPDATE notices SET operator_report_id = $1, report_id = CASE WHEN $3 THEN coalesce(report_id, '') ELSE report_id END
				WHERE id = ANY($2) AND operator_report_id IS NULL`
			return execExactly(ctx, tx, len(notices), q, r.ID, notices, logged)
		}
		return execExactly(ctx, tx, len(notices), q, r.ID, notices)
	})
	if err != nil {
		return fmt.Errorf("keep notice to %s: %w", c.Group, err)
	}
	return nil
}
