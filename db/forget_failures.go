package db

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"
)

// failuresKept is how many failures of a volume that Cinder holds nothing of are
// kept at most: enough to see how it went. HISTORY_TIME may end them before.
const failuresKept = 50

// ForgetFailures removes what failed of each volume and left nothing, but the
// newest failures and those that no report told yet.
func (b *Beat) ForgetFailures(ctx context.Context) (int, error) {
	q := inOrder("records", `id IN (SELECT id FROM (
			SELECT id, report_id, row_number() OVER (PARTITION BY volume_id ORDER BY ended_at DESC, id DESC) AS place
			FROM records WHERE state = 'failed' AND backup_id IS NULL) failed
			WHERE place > $1 AND report_id IS NOT NULL LIMIT $2)`) + `DELETE FROM records WHERE id IN (SELECT id FROM locked)`
	forgotten, err := b.forget(ctx, q, failuresKept)
	if err != nil {
		return forgotten, fmt.Errorf("forget failures: %w", err)
	}
	if forgotten > 0 {
		zerolog.Ctx(ctx).Info().Int("records", forgotten).Msg("old failures forgotten")
	}
	return forgotten, nil
}
