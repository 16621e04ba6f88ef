package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// roomUnder counts what is in progress, and tells how Cinder does.
func roomUnder(ctx context.Context, tx pgx.Tx, now time.Time, caps Caps) (*room, backup.Pace, error) {
	const q = `
		SELECT project_id, zone, out_of_turn, requested_at, deadline,
			CASE WHEN backup_id IS NULL THEN reason ELSE '' END AS waits_for, usual
		FROM records r CROSS JOIN LATERAL (
			SELECT max(ended_at - requested_at) AS usual FROM (
				SELECT ended_at, requested_at FROM records p
				WHERE r.state = 'creating' AND p.volume_id = r.volume_id AND p.available_at IS NOT NULL AND p.requested_at IS NOT NULL
				ORDER BY beat DESC LIMIT 3) last) durations
		WHERE state = 'creating' OR (state = 'planned' AND admitted_at IS NOT NULL)`
	type inProgress struct {
		ProjectID, Zone       string
		OutOfTurn             bool
		RequestedAt, Deadline *time.Time
		WaitsFor              backup.Reason
		Usual                 *time.Duration
	}
	r, pace := newRoom(caps), backup.Pace{}
	rows, err := tx.Query(ctx, q)
	if err != nil {
		return nil, pace, err
	}
	busy, err := pgx.CollectRows(rows, pgx.RowToStructByName[inProgress])
	if err != nil {
		return nil, pace, err
	}
	for _, b := range busy {
		c := candidate{ProjectID: b.ProjectID, Zone: b.Zone, OutOfTurn: b.OutOfTurn}
		if b.RequestedAt != nil && b.Deadline != nil && backup.FarBeyond(now, *b.RequestedAt, *b.Deadline, b.Usual) {
			r.takeStuck(c)
		} else {
			r.take(c)
		}
		switch b.WaitsFor { //nolint:exhaustive // only these speak of Cinder as a whole
		case backup.Throttled:
			pace.Throttled++
		case backup.CinderUnavailable, backup.AnswerUnknown:
			pace.Unanswered++
		}
	}
	pace.InProgress = len(busy)
	err = r.recent(ctx, tx, now, &pace)
	return r, pace, err
}

// lately is how far back admission looks.
const lately = 10 * time.Minute

// recent counts what ended lately: by how, and by project, for its turn.
func (r *room) recent(ctx context.Context, tx pgx.Tx, now time.Time, pace *backup.Pace) error {
	const q = `
		SELECT project_id, count(*)::int AS ended, count(*) FILTER (WHERE available_at IS NULL AND reason = ANY($1))::int AS failed,
			count(*) FILTER (WHERE available_at IS NOT NULL)::int AS made
		FROM records WHERE ended_at > $2 AND requested_at IS NOT NULL GROUP BY project_id`
	rows, err := tx.Query(ctx, q, backup.CloudTrouble, now.Add(-lately))
	if err != nil {
		return err
	}
	var project string
	var ended, failed, made int
	_, err = pgx.ForEachRow(rows, []any{&project, &ended, &failed, &made}, func() error {
		r.served[project] = ended
		pace.Failed, pace.Made = pace.Failed+failed, pace.Made+made
		return nil
	})
	return err
}
