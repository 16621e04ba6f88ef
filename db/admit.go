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
		UPDATE records SET admitted_at = staffeln_now() WHERE id IN (SELECT id FROM locked) RETURNING id`
	leave := inOrder("records", isAdmitted+` AND `+paused) + `
		UPDATE records SET admitted_at = NULL WHERE id IN (SELECT id FROM locked)`
	var a backup.Admission
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, leave); err != nil {
			return err
		}
		facts, err := admissionFacts(ctx, tx, b.Now, caps, outage)
		if err != nil {
			return err
		}
		if a = backup.Admit(b.Now, facts); len(a.Admitted) == 0 {
			return nil
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

// admissionFacts reads the backups in progress, those that ended recently, and the waiting records. There may be very many
// waiting records, so they are read only if a slot is free.
func admissionFacts(ctx context.Context, tx pgx.Tx, now time.Time, caps backup.Caps, outage backup.Outage) (backup.AdmissionFacts, error) {
	const inProgress = `
		SELECT project_id, availability_zone AS zone, state, forced_full, requested_at, deadline, next_try_at, unanswered_request_at, backup_id IS NOT NULL AS named, attempts, reason, usual
		FROM records r CROSS JOIN LATERAL (
			SELECT max(ended_at - requested_at) AS usual FROM (
				SELECT ended_at, requested_at FROM records p
				WHERE r.` + isCreating + ` AND p.volume_id = r.volume_id AND p.available_at IS NOT NULL AND p.requested_at IS NOT NULL
				ORDER BY planned_at DESC LIMIT 3) last) durations
		WHERE ` + isCreating + ` OR (` + isAdmitted + `)`
	const recent = `
		SELECT project_id, availability_zone AS zone, count(*)::int AS ended, count(*) FILTER (WHERE available_at IS NULL AND reason = ANY($1))::int AS failed,
			count(*) FILTER (WHERE available_at IS NOT NULL)::int AS made
		FROM records WHERE ended_at > $2 AND requested_at IS NOT NULL GROUP BY project_id, availability_zone`
	const waiting = `
		SELECT id, project_id, availability_zone AS zone, forced_full, manual, last_point_at, planned_at FROM records WHERE ` + isWaiting + ` AND NOT ` + paused
	f := backup.AdmissionFacts{Caps: caps, Outage: outage}
	var err error
	if f.InProgress, err = collect[backup.InProgress](ctx, tx, inProgress); err != nil {
		return f, err
	}
	if f.Recent, err = collect[backup.Recent](ctx, tx, recent, backup.CloudTrouble, now.Add(-backup.AdmissionWindow)); err != nil {
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
