package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// RecordEndedProtection stores a finding for each project and volume whose protection ended while the project still has
// restore points of the volume. The finding names the date on which the last restore point expires, by the rule of
// [backup.LastExpiry]. For restore points with foreign dependents no date is known. Findings are deleted once the protection
// is back or no restore point is left. The new findings are returned.
//
// A plan passes all = false and reads only the ends that are new. With all = true, the dates of known ends are computed again.
// Only changed rows are written.
func (b *Run) RecordEndedProtection(ctx context.Context, grace time.Duration, floor int, all bool) ([]backup.Finding, error) {
	const forget = `
		DELETE FROM findings f WHERE reason = 'protection_ended' AND NOT EXISTS (
			SELECT FROM protection_ends e WHERE e.volume_id = f.object AND e.project_id = f.project_id AND (NOT @all OR EXISTS (
				SELECT FROM records r WHERE r.volume_id = e.volume_id AND r.project_id = e.project_id AND ` + isAvailable + `)))`
	const keep = `
		INSERT INTO findings (reason, object, project_id, volume_id, detail, since, seen_at)
		SELECT 'protection_ended', e.volume_id, e.project_id, e.volume_id,
			concat(w.sentence, ' Server: ' || nullif(e.server_name, '') || '.',
				CASE WHEN points.kept > 0 THEN ' Restore points on which other incremental backups are based are kept as long as those.' END,
				CASE WHEN points.others IS NOT NULL THEN format(CASE WHEN points.kept > 0 THEN ' The last other one is removed on %s' ELSE ' The last restore point is removed on %s' END
					|| ' unless the volume is protected again.',
					to_char(greatest(points.others, CASE WHEN @floor > 0 THEN e.ended_at + @grace::interval END) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')) END),
			@now, @now
		FROM protection_ends e JOIN volumes v ON v.id = e.volume_id JOIN unnest(@reasons::text[], @sentences::text[]) AS w (reason, sentence) ON w.reason = e.reason
			CROSS JOIN LATERAL (
				SELECT max(r.data_timestamp + ` + retentionInForce + `) FILTER (WHERE r.removal_reason <> ALL(@held)) AS others,
					count(*) FILTER (WHERE r.removal_reason = ANY(@held)) AS kept FROM records r
				WHERE r.volume_id = e.volume_id AND r.project_id = e.project_id AND ` + isAvailable + `) points
		WHERE (points.others IS NOT NULL OR points.kept > 0) AND (@all OR NOT EXISTS (
			SELECT FROM findings f WHERE f.reason = 'protection_ended' AND f.object = e.volume_id AND f.project_id = e.project_id AND f.since >= e.ended_at))
		ON CONFLICT (reason, object, project_id) DO UPDATE SET detail = excluded.detail, volume_id = excluded.volume_id, seen_at = excluded.seen_at,
			since = CASE WHEN @all THEN findings.since ELSE excluded.since END
			WHERE findings.detail <> excluded.detail OR NOT @all
		RETURNING reason, object, project_id, object_name, volume_id, detail, xmax = 0 AS new`
	reasons := backup.EndReasons()
	args := pgx.NamedArgs{"all": all, "grace": grace, "floor": floor, "now": b.Now, "held": backup.ForeignHolds(), "reasons": reasons, "sentences": sentences(reasons)}
	var written []writtenFinding
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, forget, args); err != nil {
			return err
		}
		var err error
		written, err = collectWritten(tx.Query(ctx, keep, args))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep findings about protection that ended: %w", err)
	}
	return newFindings(written), nil
}

func sentences(reasons []backup.Reason) []string {
	all := make([]string, len(reasons))
	for i, r := range reasons {
		all[i] = r.Sentence()
	}
	return all
}
