package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// A ReportLease is the lease on one report group. Only its holder may make and send the group's reports.
type ReportLease struct {
	db    *DB
	Group string
	token string
	Now   time.Time // the database's clock when the lease was taken
}

// LeaseReports acquires the lease of a group, or returns [ErrLeased].
func (d *DB) LeaseReports(ctx context.Context, group string, lease time.Duration) (*ReportLease, error) {
	const q = `
		INSERT INTO report_groups AS old (id, lease_token, lease_until) VALUES ($1, gen_random_uuid()::text, staffeln_now() + $2)
		ON CONFLICT (id) DO UPDATE SET lease_token = excluded.lease_token, lease_until = excluded.lease_until
			WHERE old.lease_until IS NULL OR old.lease_until <= staffeln_now()
		RETURNING lease_token, lease_until`
	c := &ReportLease{db: d, Group: group}
	var until time.Time
	err := d.pool.QueryRow(ctx, q, storable(group), lease).Scan(&c.token, &until)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrLeased
	}
	if err != nil {
		return nil, fmt.Errorf("lease reports of %s: %w", group, err)
	}
	c.Now = until.UTC().Add(-lease)
	return c, nil
}

// Release releases the lease. If another worker took it, Release does nothing.
func (c *ReportLease) Release(ctx context.Context) error {
	const q = `UPDATE report_groups SET lease_token = NULL, lease_until = NULL WHERE id = $1 AND lease_token = $2`
	if _, err := c.db.pool.Exec(ctx, q, c.Group, c.token); err != nil {
		return fmt.Errorf("release reports of %s: %w", c.Group, err)
	}
	return nil
}

// State returns the state of the group.
func (c *ReportLease) State(ctx context.Context) (ReportGroup, error) {
	rows, err := c.db.pool.Query(ctx, `SELECT `+groupColumns+` FROM report_groups g WHERE id = $2`, c.Now, c.Group)
	if err != nil {
		return ReportGroup{}, fmt.Errorf("read group %s of reports: %w", c.Group, err)
	}
	g, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[ReportGroup])
	if err != nil {
		return g, fmt.Errorf("read group %s of reports: %w", c.Group, err)
	}
	return g, nil
}

// leaseGroup selects and locks the group's row while the lease is held.
const leaseGroup = `SELECT 1 FROM report_groups WHERE id = $1 AND lease_token = $2 AND lease_until > staffeln_now() FOR NO KEY UPDATE`

// inLease runs writes in a transaction that holds the lease, or returns [ErrStale].
func (c *ReportLease) inLease(ctx context.Context, write func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, c.db.pool, func(tx pgx.Tx) error {
		var one int
		err := tx.QueryRow(ctx, leaseGroup, c.Group, c.token).Scan(&one)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		return write(tx)
	})
}

// A NewReport is a report with its content, its records and its receivers.
type NewReport struct {
	ID        string
	CreatedAt time.Time
	Content   []byte // JSON
	Records   []string
	Removals  []string // IDs of the records of removed restore points
	Mails     []NewMail
}

// A NewMail is one receiver and the ID of the message, which is the same for each try.
type NewMail struct{ Receiver, MessageID string }

// Make stores a report and marks its records as reported in the same transaction. If one of them is already in another report,
// it stores nothing and returns [ErrStale].
func (c *ReportLease) Make(ctx context.Context, r NewReport) error {
	err := c.inLease(ctx, func(tx pgx.Tx) error {
		if err := c.store(ctx, tx, kindReport, r); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, inOrder("records", `id = ANY($1)`)+lockOnly, slices.Concat(r.Records, r.Removals)); err != nil {
			return err
		}
		if err := execExactly(ctx, tx, len(r.Records), `UPDATE records SET report_id = $1 WHERE id = ANY($2) AND `+isUnreported, r.ID, r.Records); err != nil {
			return err
		}
		return execExactly(ctx, tx, len(r.Removals), `UPDATE records SET removal_report_id = $1 WHERE id = ANY($2) AND `+isUnreportedRemoval, r.ID, r.Removals)
	})
	if err != nil {
		return fmt.Errorf("keep report of %s: %w", c.Group, err)
	}
	return nil
}

// The kinds of reports.
const (
	kindReport = "report"
	kindNotice = "notice"
)

// store writes a report and its mails, and resets the group's failures.
func (c *ReportLease) store(ctx context.Context, tx pgx.Tx, kind string, r NewReport) error {
	const report = `INSERT INTO reports (id, group_id, created_at, content, kind) VALUES ($1, $2, $3, $4, $5)`
	if _, err := tx.Exec(ctx, report, r.ID, c.Group, r.CreatedAt, r.Content, kind); err != nil {
		return err
	}
	for _, m := range r.Mails {
		const q = `INSERT INTO report_mails (report_id, receiver, group_id, message_id) VALUES ($1, $2, $3, $4)`
		if _, err := tx.Exec(ctx, q, r.ID, m.Receiver, c.Group, m.MessageID); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE report_groups SET failures = 0, next_try_at = NULL, fault = '' WHERE id = $1`, c.Group); err != nil {
		return err
	}
	return c.foundReceiver(ctx, tx)
}

// execExactly runs a statement that must change want rows, or returns [ErrStale].
func execExactly(ctx context.Context, tx pgx.Tx, want int, q string, args ...any) error {
	tag, err := tx.Exec(ctx, q, args...)
	if err == nil && int(tag.RowsAffected()) != want {
		err = ErrStale
	}
	return err
}

// NotMade records why no report could be made, and when it is tried again.
func (c *ReportLease) NotMade(ctx context.Context, fault string, retryAt time.Time) error {
	err := c.inLease(ctx, func(tx pgx.Tx) error {
		const q = `UPDATE report_groups SET failures = failures + 1, next_try_at = $2, fault = $3 WHERE id = $1`
		_, err := tx.Exec(ctx, q, c.Group, retryAt, storable(fault))
		return err
	})
	if err != nil {
		return fmt.Errorf("put off report of %s: %w", c.Group, err)
	}
	return nil
}

const reportedBefore = `SELECT max(created_at) FROM reports WHERE group_id = $1 AND kind = 'report' AND given_up_at IS NULL`

// ReportedBefore returns when the group's previous report was made; nil: never.
func (c *ReportLease) ReportedBefore(ctx context.Context) (before *time.Time, err error) {
	if err := c.db.pool.QueryRow(ctx, reportedBefore, c.Group).Scan(&before); err != nil {
		return nil, fmt.Errorf("read report of %s before: %w", c.Group, err)
	}
	return before, nil
}
