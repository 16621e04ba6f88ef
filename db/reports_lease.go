package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// A ReportLease is the lease on one group that lets one worker make and send
// what it gets.
type ReportLease struct {
	db    *DB
	Group string
	token string
	Now   time.Time // the database's clock when the lease was taken
}

// LeaseReports takes the lease of a group, or returns [ErrLeased].
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

// Release gives the lease back; one that another worker took is left alone.
func (c *ReportLease) Release(ctx context.Context) error {
	const q = `UPDATE report_groups SET lease_token = NULL, lease_until = NULL WHERE id = $1 AND lease_token = $2`
	if _, err := c.db.pool.Exec(ctx, q, c.Group, c.token); err != nil {
		return fmt.Errorf("release reports of %s: %w", c.Group, err)
	}
	return nil
}

// State returns how far the telling of the group is.
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

// leased holds, and locks the group's row, while the lease is ours.
const leased = `SELECT 1 FROM report_groups WHERE id = $1 AND lease_token = $2 AND lease_until > staffeln_now() FOR NO KEY UPDATE`

// holding runs writes in a transaction that holds the lease.
func (c *ReportLease) holding(ctx context.Context, write func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, c.db.pool, func(tx pgx.Tx) error {
		var one int
		err := tx.QueryRow(ctx, leased, c.Group, c.token).Scan(&one)
		if errors.Is(err, pgx.ErrNoRows) {
			return ErrStale
		}
		if err != nil {
			return err
		}
		return write(tx)
	})
}

// A NewReport is what is told, of which records, to whom.
type NewReport struct {
	ID        string
	CreatedAt time.Time
	Content   []byte // JSON
	Records   []string
	Removals  []string // records of restore points that were removed
	Mails     []NewMail
}

// A NewMail is one receiver, and the message's ID, the same for each try.
type NewMail struct{ Receiver, MessageID string }

// Make keeps a report, and in the same transaction says of exactly its records
// that they are told. Where one of them is told elsewhere by now it keeps
// nothing, and returns [ErrStale].
func (c *ReportLease) Make(ctx context.Context, r NewReport) error {
	err := c.holding(ctx, func(tx pgx.Tx) error {
		if err := c.keep(ctx, tx, kindReport, r); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, inOrder("records", `id = ANY($1)`)+lockAlone, slices.Concat(r.Records, r.Removals)); err != nil {
			return err
		}
		if err := exactly(ctx, tx, len(r.Records), `UPDATE records SET report_id = $1 WHERE id = ANY($2) AND `+isUnreported, r.ID, r.Records); err != nil {
			return err
		}
		return exactly(ctx, tx, len(r.Removals), `UPDATE records SET removal_report_id = $1 WHERE id = ANY($2) AND `+isUnreportedRemoval, r.ID, r.Removals)
	})
	if err != nil {
		return fmt.Errorf("keep report of %s: %w", c.Group, err)
	}
	return nil
}

// The kinds of what is sent.
const (
	kindReport = "report"
	kindNotice = "notice"
)

// keep writes what is sent, and to whom. The group's pause is over.
func (c *ReportLease) keep(ctx context.Context, tx pgx.Tx, kind string, r NewReport) error {
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

// exactly runs a statement that must change so many rows, or returns
// [ErrStale].
func exactly(ctx context.Context, tx pgx.Tx, want int, q string, args ...any) error {
	tag, err := tx.Exec(ctx, q, args...)
	if err == nil && int(tag.RowsAffected()) != want {
		err = ErrStale
	}
	return err
}

// NotMade says why no report could be made, and from when on it is tried again.
func (c *ReportLease) NotMade(ctx context.Context, fault string, again time.Time) error {
	err := c.holding(ctx, func(tx pgx.Tx) error {
		const q = `UPDATE report_groups SET failures = failures + 1, next_try_at = $2, fault = $3 WHERE id = $1`
		_, err := tx.Exec(ctx, q, c.Group, again, storable(fault))
		return err
	})
	if err != nil {
		return fmt.Errorf("put off report of %s: %w", c.Group, err)
	}
	return nil
}

const reportedBefore = `SELECT max(created_at) FROM reports WHERE group_id = $1 AND kind = 'report' AND given_up_at IS NULL`

// ReportedBefore returns when the group's report before was made; nil: never.
func (c *ReportLease) ReportedBefore(ctx context.Context) (before *time.Time, err error) {
	if err := c.db.pool.QueryRow(ctx, reportedBefore, c.Group).Scan(&before); err != nil {
		return nil, fmt.Errorf("read report of %s before: %w", c.Group, err)
	}
	return before, nil
}
