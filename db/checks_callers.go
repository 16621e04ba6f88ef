package db

import (
	"context"
	"fmt"
)

// CheckCallers returns how many requests of the last day the delete check decided, for verified and for other callers.
func (l *Snapshot) CheckCallers(ctx context.Context) (verified, unverified int64, err error) {
	const q = `
		SELECT coalesce(sum(asked) FILTER (WHERE verified), 0)::bigint, coalesce(sum(asked) FILTER (WHERE NOT verified), 0)::bigint
		FROM delete_checks WHERE outcome IN ('allowed', 'refused') AND last_at > $1::timestamptz - interval '1 day' AND judgement NOT IN ('no_certificate', 'other_name')`
	if err := l.tx.QueryRow(ctx, q, l.Now).Scan(&verified, &unverified); err != nil {
		return 0, 0, fmt.Errorf("count who asked the delete check: %w", err)
	}
	return verified, unverified, nil
}
