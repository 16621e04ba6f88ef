package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Unreported is what one project's next report waits for.
type Unreported struct {
	ProjectID string     // empty: findings that belong to no project
	Result    *time.Time // creation time of the oldest unreported record that ended, or the time of the oldest unreported removal
	Matter    *time.Time // start of the oldest condition that every report repeats: late, equally long without a restore point, overdue, undeletable, a finding
}

// Unreported returns the unreported results and conditions by project, in no order.
func (b *Run) Unreported(ctx context.Context, rpo backup.RPO) ([]Unreported, error) {
	return readUnreported(ctx, b.db.pool, b.Now, rpo, "")
}

// Unreported returns the same for the leased group.
func (c *ReportLease) Unreported(ctx context.Context, rpo backup.RPO) ([]Unreported, error) {
	return readUnreported(ctx, c.db.pool, c.Now, rpo, projectOf(c.Group))
}

func readUnreported(ctx context.Context, from queries, now time.Time, rpo backup.RPO, projectID string) ([]Unreported, error) {
	q := `
		WITH RECURSIVE ` + firstUnreported + `
		SELECT project_id, min(result) AS result, min(matter) AS matter FROM (
			SELECT project_id, at AS result, NULL::timestamptz AS matter FROM first_ended
			UNION ALL SELECT project_id, at, NULL FROM first_removed
			UNION ALL SELECT project_id, NULL, coalesce(newest_at, protected_since) + ` + lateAfter + ` FROM ` + protectionsOf(projectID) + `
				WHERE facts = ANY(@facts)
			UNION ALL SELECT project_id, NULL, ` + stuckSince + ` FROM records WHERE ` + isStuck + `
			UNION ALL SELECT project_id, NULL, since FROM findings) waiting
		WHERE @project = '' OR project_id = @project GROUP BY project_id`
	args := rpoArgs(now, rpo, projectID)
	args["facts"] = factsOf(backup.Late)
	rows, err := from.Query(ctx, q, args)
	if err != nil {
		return nil, fmt.Errorf("read what was not reported: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Unreported])
	if err != nil {
		return nil, fmt.Errorf("read what was not reported: %w", err)
	}
	return all, nil
}

// firstUnreported has the oldest unreported result and the oldest unreported removal of each project. The queries jump from
// one project to the next along the index, because a project without a receiver may have unreported records of a year.
var firstUnreported = `first_ended AS (
		(SELECT project_id, created_at AS at FROM records WHERE ` + isUnreported + ` AND project_id >= @project ORDER BY project_id, created_at LIMIT 1)
		UNION ALL SELECT n.* FROM first_ended f CROSS JOIN LATERAL (
			SELECT project_id, created_at FROM records WHERE ` + isUnreported + ` AND project_id > f.project_id AND @project = '' ORDER BY project_id, created_at LIMIT 1) n),
	first_removed AS (
		(SELECT project_id, changed_at AS at FROM records WHERE ` + isUnreportedRemoval + ` AND project_id >= @project ORDER BY project_id, changed_at LIMIT 1)
		UNION ALL SELECT n.* FROM first_removed f CROSS JOIN LATERAL (
			SELECT project_id, changed_at FROM records WHERE ` + isUnreportedRemoval + ` AND project_id > f.project_id AND @project = '' ORDER BY project_id, changed_at LIMIT 1) n)`

// stuckSince is the time since when a record is stuck.
const stuckSince = `coalesce(deletion_refused_since, deletion_requested_at, deadline, changed_at)`

// A ReportGroup is the state of the reports to one group.
type ReportGroup struct {
	ID          string
	DeliveredAt *time.Time // when the newest report was delivered to any receiver
	NextTryAt   *time.Time // no report is made earlier
	Failures    int        // consecutive failures to make a report
	Open        bool       // a report was made and not delivered to anyone yet
	MailDue     bool       // a mail is due
	Leased      bool       // a worker holds the lease
	Abandoned   bool       // the lease ran out without a release
}

const groupColumns = `id, delivered_at, next_try_at, failures,
	EXISTS (SELECT FROM reports WHERE group_id = g.id AND kind = 'report' AND delivered_at IS NULL AND given_up_at IS NULL) AS open,
	EXISTS (SELECT FROM report_mails WHERE group_id = g.id AND sent_at IS NULL AND given_up_at IS NULL AND coalesce(next_try_at <= $1, true)) AS mail_due,
	coalesce(lease_until > $1, false) AS leased, coalesce(lease_until <= $1, false) AS abandoned`

// ReportGroups returns all groups by ID.
func (b *Run) ReportGroups(ctx context.Context) (map[string]ReportGroup, error) {
	rows, err := b.db.pool.Query(ctx, `SELECT `+groupColumns+` FROM report_groups g`, b.Now)
	if err != nil {
		return nil, fmt.Errorf("read groups of reports: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ReportGroup])
	if err != nil {
		return nil, fmt.Errorf("read groups of reports: %w", err)
	}
	byID := make(map[string]ReportGroup, len(all))
	for _, g := range all {
		byID[g.ID] = g
	}
	return byID, nil
}

// AllProjects is the group of the report about all projects.
const AllProjects = "all"

// projectOf returns the project of a group, or "" for all projects.
func projectOf(group string) string {
	if group == AllProjects {
		return ""
	}
	return group
}
