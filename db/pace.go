package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// roomUnder counts what is in progress, and what that says of each project in each zone.
func roomUnder(ctx context.Context, tx pgx.Tx, now time.Time, caps Caps) (*room, map[backup.Place]backup.Pace, error) {
	// one that is asked for again says nothing of the request before
	const q = `
		SELECT project_id, availability_zone AS zone, forced_full, requested_at, deadline, next_try_at, unanswered_request_at, backup_id IS NOT NULL AS held, usual,
			CASE WHEN ` + isPlanned + ` OR backup_id IS NOT NULL THEN '' WHEN reason = '' AND attempts > 1 THEN 'answer_unknown' ELSE reason END AS waits_for
		FROM records r CROSS JOIN LATERAL (
			SELECT max(ended_at - requested_at) AS usual FROM (
				SELECT ended_at, requested_at FROM records p
				WHERE r.` + isCreating + ` AND p.volume_id = r.volume_id AND p.available_at IS NOT NULL AND p.requested_at IS NOT NULL
				ORDER BY planned_at DESC LIMIT 3) last) durations
		WHERE ` + isCreating + ` OR (` + isAdmitted + `)`
	r, paces := newRoom(caps), map[backup.Place]backup.Pace{}
	rows, err := tx.Query(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	busy, err := pgx.CollectRows(rows, pgx.RowToStructByName[inProgress])
	if err != nil {
		return nil, nil, err
	}
	for _, b := range busy {
		c := candidate{ProjectID: b.ProjectID, Zone: b.Zone, ForcedFull: b.ForcedFull}
		if b.stuck(now) {
			r.takeStuck(c)
		} else {
			r.take(c)
		}
		paces[c.place()] = b.counted(now, paces[c.place()])
	}
	err = r.recent(ctx, tx, now, paces)
	return r, paces, err
}

// inProgress is a record that was admitted and has not ended.
type inProgress struct {
	ProjectID, Zone                string
	ForcedFull                     bool
	RequestedAt, Deadline          *time.Time
	NextTryAt, UnansweredRequestAt *time.Time
	Held                           bool // Cinder has named its backup
	WaitsFor                       backup.Reason
	Usual                          *time.Duration
}

// stuck tells of one that takes far longer than it should: in Cinder, or because Cinder does not take it. One that
// Cinder certainly does not have, and that is not asked for again soon, is too.
func (b inProgress) stuck(now time.Time) bool {
	switch {
	case b.RequestedAt == nil || b.Deadline == nil:
		return false
	case b.Held || b.WaitsFor == "":
		return backup.FarBeyond(now, *b.RequestedAt, *b.Deadline, b.Usual)
	case b.UnansweredRequestAt == nil && b.NextTryAt != nil && b.NextTryAt.Sub(now) > time.Minute:
		return true
	}
	return now.Sub(*b.RequestedAt) > lately
}

// counted adds what the record says to that of its place.
func (b inProgress) counted(now time.Time, p backup.Pace) backup.Pace {
	p.InProgress++
	bad := true
	switch b.WaitsFor { //nolint:exhaustive // only these speak of more than the volume
	case backup.Throttled:
		p.Throttled++
	case backup.CinderUnavailable, backup.AnswerUnknown, backup.Unauthorised:
		p.Unanswered++
	default:
		bad = false
	}
	if bad && b.RequestedAt != nil && now.Sub(*b.RequestedAt) < lately {
		p.Newly++
	}
	return p
}

// lately is how far back admission looks.
const lately = 10 * time.Minute

// recent counts what ended lately: by how and where, and by project, for its turn.
func (r *room) recent(ctx context.Context, tx pgx.Tx, now time.Time, paces map[backup.Place]backup.Pace) error {
	const q = `
		SELECT project_id, availability_zone, count(*)::int AS ended, count(*) FILTER (WHERE available_at IS NULL AND reason = ANY($1))::int AS failed,
			count(*) FILTER (WHERE available_at IS NOT NULL)::int AS made
		FROM records WHERE ended_at > $2 AND requested_at IS NOT NULL GROUP BY project_id, availability_zone`
	rows, err := tx.Query(ctx, q, backup.CloudTrouble, now.Add(-lately))
	if err != nil {
		return err
	}
	var at backup.Place
	var ended, failed, made int
	_, err = pgx.ForEachRow(rows, []any{&at.Project, &at.Zone, &ended, &failed, &made}, func() error {
		r.served[at.Project] += ended
		if p := paces[at]; failed+made > 0 {
			p.Failed, p.Made = failed, made
			paces[at] = p
		}
		return nil
	})
	return err
}
