package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Caps bound what is in progress at a time; 0 = no bound.
type Caps struct {
	Total, PerProject, PerZone int
	OutOfTurn                  int // fulls that the depth did not ask for
}

// Admit lets planned records through under the caps and returns how many. The
// statement that counts is the one that sets admitted_at, in the beat's term:
// two leaders can't both fill the same gap. Projects take turns; inside a
// project the volume with the oldest restore point comes first. A record that
// is overdue leaves its cap, so that one dead backend starves nobody else.
func (b *Beat) Admit(ctx context.Context, caps Caps) (int, error) {
	const q = `
		WITH busy AS (
			SELECT project_id, zone, out_of_turn FROM records
			WHERE state = 'creating' OR (state = 'planned' AND admitted_at IS NOT NULL)
		), by_project AS (
			SELECT r.id, r.zone, r.out_of_turn, r.last_point_at, r.beat,
				row_number() OVER (PARTITION BY r.project_id ORDER BY r.last_point_at NULLS FIRST, r.beat, r.id)
					+ (SELECT count(*) FROM busy WHERE busy.project_id = r.project_id) AS turn
			FROM records r WHERE r.state = 'planned' AND r.admitted_at IS NULL
		), by_zone AS (
			SELECT *, row_number() OVER (PARTITION BY zone ORDER BY turn, last_point_at NULLS FIRST, beat, id)
					+ (SELECT count(*) FROM busy WHERE busy.zone = by_project.zone) AS zone_turn
			FROM by_project WHERE @project = 0 OR turn <= @project
		), by_kind AS (
			SELECT *, CASE WHEN out_of_turn THEN
				row_number() OVER (PARTITION BY out_of_turn ORDER BY turn, last_point_at NULLS FIRST, beat, id)
					+ (SELECT count(*) FROM busy WHERE busy.out_of_turn) ELSE 0 END AS full_turn
			FROM by_zone WHERE @zone = 0 OR zone_turn <= @zone
		), chosen AS (
			SELECT id FROM by_kind WHERE @fulls = 0 OR full_turn <= @fulls
			ORDER BY turn, last_point_at NULLS FIRST, beat, id
			LIMIT CASE WHEN @total = 0 THEN NULL ELSE greatest(0, @total - (SELECT count(*) FROM busy)) END
		)
		UPDATE records SET admitted_at = staffeln_now() FROM chosen WHERE records.id = chosen.id AND state = 'planned'`
	admitted := 0
	err := b.reigning(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, q, pgx.NamedArgs{
			"total": caps.Total, "project": caps.PerProject, "zone": caps.PerZone, "fulls": caps.OutOfTurn,
		})
		admitted = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("admit records: %w", err)
	}
	return admitted, nil
}
