package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// A ProtectionEnd is the end of a volume's protection in a project. It is kept until the protection there is back or no backup
// of ours is left there.
type ProtectionEnd struct {
	VolumeID, ProjectID  string
	EndedAt              time.Time
	Reason               backup.Reason // metadata, detached, server_deleted, volume_deleted, transferred
	ServerID, ServerName string        // the server that protected it
}

// endProtection writes the ends of protection of the volumes with these IDs, and deletes the ends of volumes that are
// protected again. The volumes must be written before.
func endProtection(ctx context.Context, tx pgx.Tx, ids []string, ends []ProtectionEnd) error {
	const insert = `
		INSERT INTO protection_ends (volume_id, project_id, ended_at, reason, server_id, server_name)
		SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
		ON CONFLICT (volume_id, project_id) DO UPDATE SET ended_at = excluded.ended_at, reason = excluded.reason,
			server_id = excluded.server_id, server_name = excluded.server_name`
	const back = `
		DELETE FROM protection_ends e USING volumes v
		WHERE e.volume_id = ANY($1) AND v.id = e.volume_id AND v.project_id = e.project_id AND v.protected`
	if len(ends) > 0 {
		c := newColumns(6, len(ends))
		for _, e := range ends {
			c.add(e.VolumeID, e.ProjectID, e.EndedAt, string(e.Reason), e.ServerID, e.ServerName)
		}
		if _, err := tx.Exec(ctx, insert, c.args()...); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, back, ids)
	return err
}

// ForgetProtectionEnds deletes the ends of protection where Cinder holds no backup of ours of that volume in that project any more.
func (b *Run) ForgetProtectionEnds(ctx context.Context) error {
	q := `DELETE FROM protection_ends e WHERE NOT EXISTS (
		SELECT FROM records WHERE volume_id = e.volume_id AND project_id = e.project_id AND NOT ` + isLost + ` AND ` + mayBeInCinder + `)`
	err := b.inTerm(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, q); return err })
	if err != nil {
		return fmt.Errorf("forget ends of protection: %w", err)
	}
	return nil
}
