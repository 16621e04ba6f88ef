package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// A DeleteCheck is a row of delete_checks: a caller, the result of its deletion requests, and how often it asked.
type DeleteCheck struct {
	Allowed   bool
	Judgement string
	Verified  bool // the caller presented the required client certificate; if false, the fields about the user are empty
	BackupID  string
	UserID    string
	ProjectID string
	Roles     string
	Asked     int64
}

const (
	// MoreChecks is the judgement of the row that counts the requests beyond the row limit.
	MoreChecks = "more"
	// CheckRows is the maximum number of rows per hour that name a caller. It applies to allowed and to refused requests
	// separately.
	CheckRows = 500
	// BurstTime is how long bursts are kept.
	BurstTime = 24 * time.Hour
)

// Summed returns the row without a caller that counts c once the row limit is reached.
func (c DeleteCheck) Summed() DeleteCheck {
	return DeleteCheck{Allowed: c.Allowed, Judgement: MoreChecks, Verified: c.Verified, Asked: c.Asked}
}

// A Burst is a minute in which one user, or all unverified callers together, had too many refusals.
type Burst struct {
	Minute            time.Time
	Verified          bool
	UserID, ProjectID string
	Refused           int64
}

// Add adds the checks since the last call to the current hour of the database's clock, within the row limits of that hour, and
// the refusals to the current minute. It returns the new bursts: minutes whose refusals, summed over all replicas, reached
// burst (0: never). Each burst is returned to one replica only.
func (c *Checks) Add(ctx context.Context, checks []DeleteCheck, burst int) (bursts []Burst, err error) {
	for i := range checks {
		checks[i].UserID, checks[i].ProjectID, checks[i].Roles = storable(checks[i].UserID), storable(checks[i].ProjectID), storable(checks[i].Roles)
	}
	err = pgx.BeginFunc(ctx, c.side, func(tx pgx.Tx) error {
		// Replicas write one after the other, because they share the row limits.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('staffeln delete_checks'))`); err != nil {
			return err
		}
		checks, err := limitRows(ctx, tx, checks)
		if err != nil {
			return err
		}
		if err := addOutcomes(ctx, tx, checks); err != nil {
			return err
		}
		bursts, err = addRefusals(ctx, tx, checks, burst)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write who asked for %d deletions: %w", len(checks), err)
	}
	return bursts, nil
}

// limitRows replaces the checks that exceed the row limits of the hour by rows without a caller.
func limitRows(ctx context.Context, tx pgx.Tx, checks []DeleteCheck) ([]DeleteCheck, error) {
	const q = `
		SELECT outcome = 'allowed', judgement, verified, user_id, project_id, roles FROM delete_checks
		WHERE hour = date_trunc('hour', staffeln_now()) AND verified AND judgement <> 'more'`
	rows, err := tx.Query(ctx, q)
	if err != nil {
		return nil, err
	}
	known, free := map[DeleteCheck]bool{}, map[bool]int{true: CheckRows, false: CheckRows}
	var c DeleteCheck
	_, err = pgx.ForEachRow(rows, []any{&c.Allowed, &c.Judgement, &c.Verified, &c.UserID, &c.ProjectID, &c.Roles}, func() error {
		known[c] = true
		free[c.Allowed]--
		return nil
	})
	if err != nil {
		return nil, err
	}
	limited := slices.Clone(checks)
	slices.SortFunc(limited, func(a, b DeleteCheck) int { return int(b.Asked - a.Asked) }) // the callers with the most requests keep their names
	for i, t := range limited {
		key := t
		key.BackupID, key.Asked = "", 0
		switch {
		case !t.Verified || t.Judgement == MoreChecks || known[key]:
		case free[t.Allowed] > 0:
			free[t.Allowed]--
			known[key] = true
		default:
			limited[i] = t.Summed()
		}
	}
	return limited, nil
}

func addOutcomes(ctx context.Context, tx pgx.Tx, checks []DeleteCheck) error {
	const q = `
		INSERT INTO delete_checks AS c (hour, outcome, judgement, verified, user_id, project_id, roles, backup_id, asked, first_at, last_at)
		SELECT date_trunc('hour', n.now), CASE WHEN t.allowed THEN 'allowed' ELSE 'refused' END, t.judgement, t.verified, t.user_id, t.project_id, t.roles,
			max(t.backup_id), sum(t.asked), n.now, n.now
		FROM (SELECT staffeln_now()) AS n (now), unnest($1::boolean[], $2::text[], $3::boolean[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
			AS t (allowed, judgement, verified, backup_id, user_id, project_id, roles, asked)
		GROUP BY 1, 2, 3, 4, 5, 6, 7, n.now
		ON CONFLICT (hour, outcome, judgement, verified, user_id, project_id, roles)
		DO UPDATE SET asked = c.asked + EXCLUDED.asked, last_at = EXCLUDED.last_at, backup_id = coalesce(nullif(EXCLUDED.backup_id, ''), c.backup_id)`
	n := len(checks)
	allowed, verified, asked := make([]bool, n), make([]bool, n), make([]int64, n)
	judgements, backups, users, projects, roles := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, t := range checks {
		allowed[i], verified[i], asked[i] = t.Allowed, t.Verified, t.Asked
		judgements[i], backups[i], users[i], projects[i], roles[i] = t.Judgement, t.BackupID, t.UserID, t.ProjectID, t.Roles
	}
	_, err := tx.Exec(ctx, q, allowed, judgements, verified, backups, users, projects, roles, asked)
	return err
}

// A RecordedCheck is a DeleteCheck and the time of its first and last request.
type RecordedCheck struct {
	FirstAt, LastAt time.Time
	Outcome         string
	Judgement       string
	Verified        bool
	BackupID        string
	UserID          string
	ProjectID       string
	Roles           string
	Asked           int64
	// What the database knows of the project, and of the backup if it is ours.
	ProjectName, BackupName, VolumeID, VolumeName string
}

// DeleteChecks returns the recorded deletion requests, newest first; limit 0 means all. Unless allowed is set, it returns only
// the refused ones.
func (l *Snapshot) DeleteChecks(ctx context.Context, allowed bool, limit int) ([]RecordedCheck, error) {
	q := `
		SELECT c.first_at, c.last_at, c.outcome, c.judgement, c.verified, c.backup_id, c.user_id, c.project_id, c.roles, c.asked, coalesce(p.name, '') AS project_name,
			coalesce(r.backup_name, '') AS backup_name, coalesce(r.volume_id, '') AS volume_id, coalesce(r.volume_name, '') AS volume_name
		FROM (SELECT * FROM delete_checks WHERE outcome = 'refused' OR $1
				ORDER BY last_at DESC, outcome, judgement, verified DESC, user_id, project_id, roles, backup_id LIMIT nullif($2, 0)) c
			LEFT JOIN records r ON r.backup_id = c.backup_id
			` + projectName(`c.project_id`) + `
		ORDER BY c.last_at DESC, c.outcome, c.judgement, c.verified DESC, c.user_id, c.project_id, c.roles, c.backup_id`
	rows, err := l.tx.Query(ctx, q, allowed, limit)
	if err != nil {
		return nil, fmt.Errorf("read who asked for deletions: %w", err)
	}
	checks, err := pgx.CollectRows(rows, pgx.RowToStructByName[RecordedCheck])
	if err != nil {
		return nil, fmt.Errorf("read who asked for deletions: %w", err)
	}
	return checks, nil
}
