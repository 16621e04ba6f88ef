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

// Admit lets planned records through under the caps and returns how many.
// Projects take turns; inside a project the volume with the oldest restore
// point comes first; one that a cap holds back keeps no place for itself. A
// record that is overdue leaves its cap: one dead backend starves nobody else.
//
// Count and choice are made in the transaction that holds the term, and nobody
// else admits: what is in progress can only get less until it is written.
func (b *Beat) Admit(ctx context.Context, caps Caps) (int, error) {
	const admit = `UPDATE records SET admitted_at = staffeln_now() WHERE id = ANY($1) AND state = 'planned' AND admitted_at IS NULL`
	admitted := 0
	err := b.reigning(ctx, func(tx pgx.Tx) error {
		r, err := roomUnder(ctx, tx, caps)
		if err != nil || !r.left() {
			return err
		}
		queue, err := candidates(ctx, tx)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, admit, r.choose(queue))
		admitted = int(tag.RowsAffected())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("admit records: %w", err)
	}
	return admitted, nil
}

// roomUnder counts what is in progress.
func roomUnder(ctx context.Context, tx pgx.Tx, caps Caps) (*room, error) {
	const q = `
		SELECT project_id, zone, out_of_turn, count(*)::int AS records FROM records
		WHERE state = 'creating' OR (state = 'planned' AND admitted_at IS NOT NULL)
		GROUP BY project_id, zone, out_of_turn`
	rows, err := tx.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	type inProgress struct {
		ProjectID, Zone string
		OutOfTurn       bool
		Records         int
	}
	counts, err := pgx.CollectRows(rows, pgx.RowToStructByName[inProgress])
	if err != nil {
		return nil, err
	}
	r := newRoom(caps)
	for _, c := range counts {
		r.take(candidate{ProjectID: c.ProjectID, Zone: c.Zone, OutOfTurn: c.OutOfTurn}, c.Records)
	}
	return r, nil
}

// candidates are the planned records that wait, those that need it most first.
func candidates(ctx context.Context, tx pgx.Tx) ([]candidate, error) {
	const q = `
		SELECT id, project_id, zone, out_of_turn FROM records WHERE state = 'planned' AND admitted_at IS NULL
		ORDER BY last_point_at NULLS FIRST, beat, id`
	rows, err := tx.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[candidate])
}
