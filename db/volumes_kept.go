package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
)

// Same reports whether v and w have the same row, apart from the times of observation and decision. If so, the row need not be
// written again.
func (v Volume) Same(w Volume) bool {
	return v.ID == w.ID && storable(v.Name) == storable(w.Name) && v.ProjectID == w.ProjectID && storable(v.ProjectName) == storable(w.ProjectName) &&
		v.ServerID == w.ServerID && storable(v.ServerName) == storable(w.ServerName) &&
		v.AttachedID == w.AttachedID && storable(v.AttachedName) == storable(w.AttachedName) &&
		storable(v.Zone) == storable(w.Zone) && storable(v.Status) == storable(w.Status) && v.SizeGiB == w.SizeGiB && v.Encrypted == w.Encrypted &&
		v.Protected == w.Protected && v.Unknown == w.Unknown && v.Migration == w.Migration && v.DetachedPlans == w.DetachedPlans &&
		v.Action == w.Action && v.Reason == w.Reason && v.sameRetention(w) &&
		sameTime(v.ProtectedSince, w.ProtectedSince) && sameTime(v.TransferredAt, w.TransferredAt) && sameTime(v.GoneAt, w.GoneAt) &&
		sameTime(v.DecisionUntil, w.DecisionUntil) && (v.DecidedAt == nil) == (w.DecidedAt == nil)
}

func (v Volume) sameRetention(w Volume) bool {
	a, b := v.Retention, w.Retention
	if toInterval(a.InForce) != toInterval(b.InForce) || a.Source != b.Source || (a.Shorter == nil) != (b.Shorter == nil) {
		return false
	}
	return a.Shorter == nil || toInterval(*a.Shorter) == toInterval(*b.Shorter) && a.ShorterSince.Equal(b.ShorterSince) &&
		a.ShorterSeen == b.ShorterSeen && a.ShorterSeenAt.Equal(b.ShorterSeenAt)
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// WithRecords returns which of the volumes with these IDs have records.
func (b *Run) WithRecords(ctx context.Context, ids []string) (map[string]bool, error) {
	const q = `SELECT id FROM unnest($1::text[]) AS v (id) WHERE EXISTS (SELECT FROM records WHERE volume_id = v.id)`
	with := map[string]bool{}
	if len(ids) == 0 {
		return with, nil
	}
	rows, err := b.db.pool.Query(ctx, q, ids)
	if err != nil {
		return nil, fmt.Errorf("read which volumes have records: %w", err)
	}
	var id string
	if _, err := pgx.ForEachRow(rows, []any{&id}, func() error { with[id] = true; return nil }); err != nil {
		return nil, fmt.Errorf("read which volumes have records: %w", err)
	}
	return with, nil
}

// GoneCount returns the number of stored volumes that are gone.
func (b *Run) GoneCount(ctx context.Context) (n int, err error) {
	if err := b.db.pool.QueryRow(ctx, `SELECT count(*) FROM volumes WHERE gone_at IS NOT NULL`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count gone volumes: %w", err)
	}
	return n, nil
}

// ForgetVolumes deletes the volumes with these IDs, except those with records.
func (b *Run) ForgetVolumes(ctx context.Context, ids []string) error {
	const q = `DELETE FROM volumes v WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM records WHERE volume_id = v.id)`
	for part := range chunks(ids) {
		if err := b.inTerm(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, q, part); return err }); err != nil {
			return fmt.Errorf("forget %d volumes: %w", len(part), err)
		}
	}
	return nil
}

// ForgetGone deletes volumes without records that have been gone since before the given time, and gone volumes that were never
// protected.
func (b *Run) ForgetGone(ctx context.Context, before *time.Time) error {
	const q = `
		DELETE FROM volumes WHERE id IN (SELECT id FROM volumes v
			WHERE gone_at IS NOT NULL AND (gone_at < $1 OR retention IS NULL) AND NOT EXISTS (SELECT FROM records WHERE volume_id = v.id) LIMIT $2)`
	forgotten, err := b.forget(ctx, q, before)
	if err != nil {
		return fmt.Errorf("forget gone volumes: %w", err)
	}
	if forgotten > 0 {
		zerolog.Ctx(ctx).Info().Int("volumes", forgotten).Msg("gone volumes forgotten")
	}
	return nil
}
