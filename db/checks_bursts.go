package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// addRefusals adds refusals to the current minute and returns the minutes that thereby became bursts. It deletes minutes older
// than [BurstTime].
func addRefusals(ctx context.Context, tx pgx.Tx, checks []DeleteCheck, burst int) ([]Burst, error) {
	const old = `DELETE FROM delete_refusals WHERE minute < staffeln_now() - $1::interval`
	const add = `
		INSERT INTO delete_refusals AS r (minute, verified, user_id, project_id, refused, burst)
		SELECT date_trunc('minute', staffeln_now()), t.verified, t.user_id, max(t.project_id), sum(t.asked), $5 > 0 AND sum(t.asked) >= $5
		FROM unnest($1::boolean[], $2::text[], $3::text[], $4::bigint[]) AS t (verified, user_id, project_id, asked)
		GROUP BY t.verified, t.user_id
		ON CONFLICT (minute, verified, user_id)
		DO UPDATE SET project_id = EXCLUDED.project_id, refused = r.refused + EXCLUDED.refused, burst = r.burst OR ($5 > 0 AND r.refused + EXCLUDED.refused >= $5)
		RETURNING minute, verified, user_id, project_id, refused`
	if _, err := tx.Exec(ctx, old, BurstTime); err != nil {
		return nil, err
	}
	var verified []bool
	var users, projects []string
	var asked []int64
	type caller struct {
		verified bool
		user     string
	}
	added := map[caller]int64{}
	for _, t := range checks {
		if t.Allowed || t.Judgement == "no_certificate" || t.Judgement == "other_name" {
			continue
		}
		verified, users, projects, asked = append(verified, t.Verified), append(users, t.UserID), append(projects, t.ProjectID), append(asked, t.Asked)
		added[caller{t.Verified, t.UserID}] += t.Asked
	}
	rows, err := tx.Query(ctx, add, verified, users, projects, asked, int64(burst))
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Burst])
	if err != nil {
		return nil, err
	}
	var bursts []Burst
	for _, b := range all {
		if before := b.Refused - added[caller{b.Verified, b.UserID}]; burst > 0 && b.Refused >= int64(burst) && before < int64(burst) {
			bursts = append(bursts, b)
		}
	}
	return bursts, nil
}

// RecordRefusalBursts stores one finding for each user with a burst within [BurstTime], and one for all unverified callers. It
// deletes findings about older bursts and returns the new ones. The findings belong to no project: the project of that user
// may be the attacker's.
func (b *Run) RecordRefusalBursts(ctx context.Context) ([]backup.Finding, error) {
	q := `
		SELECT 'refusal_burst' AS reason, '' AS project_id, '' AS object_name, '' AS volume_id,
			CASE WHEN NOT verified THEN 'unverified' WHEN user_id = '' THEN 'unknown' ELSE user_id END AS object,
			format(CASE WHEN verified THEN 'user %1$s of project %2$s was' ELSE 'callers without a client certificate that is demanded were' END
				|| ' refused %3$s deletions; minutes of too many: %4$s, the newest %5$s',
				user_id, ` + sqlNamed(`max(p.name)`, `max(d.project_id)`) + `, sum(refused), count(*), to_char(max(minute) AT TIME ZONE 'UTC', $2)) AS detail
		FROM delete_refusals d ` + projectName(`d.project_id`) + ` WHERE burst AND minute > $1 GROUP BY verified, user_id`
	rows, err := b.db.pool.Query(ctx, q, b.Now.Add(-BurstTime), `YYYY-MM-DD"T"HH24:MI:SS"Z"`)
	if err != nil {
		return nil, fmt.Errorf("read bursts of refusals: %w", err)
	}
	bursts, err := pgx.CollectRows(rows, pgx.RowToStructByName[backup.Finding])
	if err != nil {
		return nil, fmt.Errorf("read bursts of refusals: %w", err)
	}
	return b.recordFindings(ctx, bursts, []string{string(backup.RefusalBurst)})
}
