package db

import (
	"context"
	"fmt"

	"github.com/rs/zerolog"
)

// failuresKept is the maximum number of failures kept per volume that left nothing in Cinder. HISTORY_TIME may delete them
// earlier.
const failuresKept = 50

// ForgetFailures deletes the failures that left nothing in Cinder, except the newest of each volume and those that were not
// reported yet. It works volume by volume: after an outage of a year each may have thousands.
func (b *Run) ForgetFailures(ctx context.Context) (int, error) {
	many := `
		SELECT volume_id FROM records WHERE ` + isFailedWithoutBackup + `
		GROUP BY volume_id HAVING count(*) > $1 AND count(*) FILTER (WHERE report_id IS NOT NULL) > 0 ORDER BY 1`
	q := inOrder("records", `id IN (SELECT id FROM (
			SELECT id, report_id, row_number() OVER (ORDER BY ended_at DESC, id DESC) AS rank
			FROM records WHERE volume_id = $1 AND `+isFailedWithoutBackup+`) failed
			WHERE rank > $2 AND report_id IS NOT NULL LIMIT $3)`) + `DELETE FROM records WHERE id IN (SELECT id FROM locked)`
	volumes, err := collectIDs(b.db.pool.Query(ctx, many, failuresKept))
	if err != nil {
		return 0, fmt.Errorf("forget failures: %w", err)
	}
	forgotten := 0
	for _, id := range volumes {
		n, err := b.forget(ctx, q, id, failuresKept)
		if forgotten += n; err != nil {
			return forgotten, fmt.Errorf("forget failures: %w", err)
		}
	}
	if forgotten > 0 {
		zerolog.Ctx(ctx).Info().Int("records", forgotten).Msg("old failures forgotten")
	}
	return forgotten, nil
}
