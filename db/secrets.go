package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// SecretsGone returns the backups of the available records whose secrets are recorded as gone.
func (b *Run) SecretsGone(ctx context.Context) (backupIDs []string, err error) {
	ids, err := collectIDs(b.db.pool.Query(ctx, `SELECT backup_id FROM records WHERE secret_gone_at IS NOT NULL AND `+isAvailable))
	if err != nil {
		return nil, fmt.Errorf("read restore points without secret: %w", err)
	}
	return ids, nil
}

// RecordSecrets records which of these backups have lost their secrets and which have them (again). A secret already recorded
// as gone keeps its time.
func (b *Run) RecordSecrets(ctx context.Context, gone, there []string) error {
	if len(gone)+len(there) == 0 {
		return nil
	}
	begin := inOrder("records", `backup_id = ANY($1) AND secret_gone_at IS NULL AND `+isAvailable) + `
		UPDATE records SET secret_gone_at = $2 WHERE id IN (SELECT id FROM locked)`
	end := inOrder("records", `backup_id = ANY($1) AND secret_gone_at IS NOT NULL`) + `
		UPDATE records SET secret_gone_at = NULL WHERE id IN (SELECT id FROM locked)`
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, begin, gone, b.Now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, end, there)
		return err
	})
	if err != nil {
		return fmt.Errorf("record which secrets are gone: %w", err)
	}
	return nil
}

// WithoutSecret returns a finding for each project and volume with restore points whose secrets are gone.
func (b *Run) WithoutSecret(ctx context.Context) ([]backup.Finding, error) {
	q := `
		SELECT 'secret_gone' AS reason, g.project_id, g.volume_id AS object, g.volume_name AS object_name, g.volume_id,
			format('%s of %s restore points of volume %s, the newest of %s; first seen at %s', g.gone, points.all, ` + sqlNamed(`g.volume_name`, `g.volume_id`) + `,
				to_char(g.newest AT TIME ZONE 'UTC', $1), to_char(g.since AT TIME ZONE 'UTC', $1)) AS detail
		FROM (
			SELECT project_id, volume_id, count(*) AS gone, min(secret_gone_at) AS since, max(data_timestamp) AS newest,
				(array_agg(volume_name ORDER BY data_timestamp DESC, id))[1] AS volume_name
			FROM records WHERE secret_gone_at IS NOT NULL AND ` + isAvailable + ` GROUP BY project_id, volume_id) g
		CROSS JOIN LATERAL (
			SELECT count(*) AS all FROM records r WHERE r.volume_id = g.volume_id AND r.project_id = g.project_id AND ` + isAvailable + `) points`
	rows, err := b.db.pool.Query(ctx, q, `YYYY-MM-DD"T"HH24:MI:SS"Z"`)
	if err != nil {
		return nil, fmt.Errorf("read volumes without secrets: %w", err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[backup.Finding])
	if err != nil {
		return nil, fmt.Errorf("read volumes without secrets: %w", err)
	}
	return found, nil
}
