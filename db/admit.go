package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Admit admits planned records as [backup.Admit] decides and returns that decision. Admitted has only the records that were
// still planned when the admission was written.
//
// The facts are read and the outcome is written in one transaction that holds the term. Nothing else admits records, so the
// number of backups in progress can only shrink meanwhile. Records of paused projects are not read. A pause takes away their
// slot, and they wait for a new one.
func (b *Run) Admit(ctx context.Context, caps backup.Caps, outage backup.Outage) (backup.Admission, error) {
	admit := inOrder("records", `id = ANY($1) AND `+isWaiting) + `
		UPDATE records SET admitted_at = staffeln_now(), held = '' WHERE id IN (SELECT id FROM locked) RETURNING id`
	leave := inOrder("records", isPlanned+` AND (admitted_at IS NOT NULL OR held <> $1) AND `+paused) + `
		UPDATE records SET admitted_at = NULL, held = $1 WHERE id IN (SELECT id FROM locked)`
	var a backup.Admission
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, leave, backup.HeldByPause); err != nil {
			return err
		}
		facts, err := admissionFacts(ctx, tx, b.Now, caps, outage)
		if err != nil {
			return err
		}
		a = backup.Admit(b.Now, facts)
		if err := recordHeld(ctx, tx, facts, a, facts.Full(b.Now)); err != nil || len(a.Admitted) == 0 {
			return err
		}
		rows, err := tx.Query(ctx, admit, a.Admitted)
		if err != nil {
			return err
		}
		a.Admitted, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return backup.Admission{}, fmt.Errorf("admit records: %w", err)
	}
	return a, nil
}

// recordHeld records why candidates were not admitted, where that changed. If all slots are in use, the candidates were not
// read: those that have no reason yet wait for a slot, and the others keep theirs, so that thousands of rows are not rewritten
// each time the last slot is taken.
func recordHeld(ctx context.Context, tx pgx.Tx, f backup.AdmissionFacts, a backup.Admission, full bool) error {
	if full {
		q := inOrder("records", isWaiting+` AND held IN ('', $2) AND NOT `+paused) + `UPDATE records SET held = $1 WHERE id IN (SELECT id FROM locked)`
		_, err := tx.Exec(ctx, q, backup.HeldByTotal, backup.HeldByPause)
		return err
	}
	c := newColumns(2, len(a.Held))
	for _, one := range f.Waiting {
		if held := a.Held[one.ID]; held != "" && held != one.Held {
			c.add(one.ID, string(held))
		}
	}
	if len(c[0]) == 0 {
		return nil
	}
	q := inOrder("records", `id = ANY($1) AND `+isWaiting) + `
		UPDATE records SET held = h.why FROM unnest($1::text[], $2::text[]) h (id, why) WHERE records.id = h.id AND records.id IN (SELECT id FROM locked)`
	_, err := tx.Exec(ctx, q, c.args()...)
	return err
}

// admissionFacts reads the backups in progress, those that ended recently, and the waiting records. There may be very many
// waiting records, so they are read only if a slot is free.
func admissionFacts(ctx context.Context, tx pgx.Tx, now time.Time, caps backup.Caps, outage backup.Outage) (backup.AdmissionFacts, error) {
	const inProgress = `
		SELECT records.project_id, records.availability_zone AS zone, state, forced_full, requested_at, deadline, next_try_at, unanswered_request_at, backup_id IS NOT NULL AS named, attempts, records.reason,
			v.usual_duration AS usual
		FROM records JOIN volumes v ON v.id = records.volume_id
		WHERE ` + isCreating + ` OR (` + isAdmitted + `)`
	const recent = `
		SELECT project_id, availability_zone AS zone, count(*)::int AS ended, count(*) FILTER (WHERE available_at IS NULL AND reason = ANY($1))::int AS failed,
			count(*) FILTER (WHERE available_at IS NOT NULL)::int AS made
		FROM records WHERE ended_at > $2 AND requested_at IS NOT NULL GROUP BY project_id, availability_zone`
	const waiting = `
		SELECT id, project_id, availability_zone AS zone, forced_full, manual, last_point_at, planned_at, held FROM records WHERE ` + isWaiting + ` AND NOT ` + paused
	f := backup.AdmissionFacts{Caps: caps, Outage: outage}
	var err error
	if f.InProgress, err = collect[backup.InProgress](ctx, tx, inProgress); err != nil {
		return f, err
	}
	if f.Recent, err = collect[backup.Recent](ctx, tx, recent, backup.CloudTrouble, now.Add(-backup.AdmissionInterval)); err != nil {
		return f, err
	}
	if !f.Full(now) {
		f.Waiting, err = collect[backup.Candidate](ctx, tx, waiting)
	}
	return f, err
}

func collect[T any](ctx context.Context, from queries, q string, args ...any) ([]T, error) {
	rows, err := from.Query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[T])
}
