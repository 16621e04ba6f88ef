package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
)

// A Mail is a report or notice that one receiver has not got yet.
type Mail struct {
	ReportID, Receiver, MessageID string
	Notice                        bool      // a notice; otherwise a report
	CreatedAt                     time.Time // creation time of the report; all tries carry it as their date
	Attempts                      int       // failed tries so far
}

// Mails returns the notices, or the reports, that the leased group has to send now. Those with the fewest tries come first, so
// that failing mails delay no others.
func (c *ReportLease) Mails(ctx context.Context, notices bool) ([]Mail, error) {
	const q = `
		SELECT m.report_id, m.receiver, m.message_id, r.kind = 'notice' AS notice, m.attempts, r.created_at FROM report_mails m JOIN reports r ON r.id = m.report_id
		WHERE m.group_id = $1 AND m.sent_at IS NULL AND m.given_up_at IS NULL AND coalesce(m.next_try_at <= $2, true) AND (r.kind = 'notice') = $3
		ORDER BY m.attempts, r.created_at, m.receiver`
	rows, err := c.db.pool.Query(ctx, q, c.Group, c.Now, notices)
	if err != nil {
		return nil, fmt.Errorf("read mails to %s: %w", c.Group, err)
	}
	mails, err := pgx.CollectRows(rows, pgx.RowToStructByName[Mail])
	if err != nil {
		return nil, fmt.Errorf("read mails to %s: %w", c.Group, err)
	}
	return mails, nil
}

// Content returns the stored content of a report.
func (c *ReportLease) Content(ctx context.Context, reportID string) (content []byte, err error) {
	const q = `SELECT content FROM reports WHERE id = $1 AND content IS NOT NULL`
	if err := c.db.pool.QueryRow(ctx, q, reportID).Scan(&content); err != nil {
		return nil, fmt.Errorf("read report %s: %w", reportID, err)
	}
	return content, nil
}

// Sent records that a receiver got the mail, and the mail server's response. This is true even if the lease ran out, so Sent
// does not check the lease.
func (c *ReportLease) Sent(ctx context.Context, m Mail, response string) error {
	err := pgx.BeginFunc(ctx, c.db.pool, func(tx pgx.Tx) error {
		const (
			// the group is locked first, as by the holder of its lease: another mail of the report may be given up meanwhile
			first = `SELECT FROM report_groups WHERE id = $1 FOR NO KEY UPDATE`
			sent  = `UPDATE report_mails SET sent_at = staffeln_now(), given_up_at = NULL, attempts = attempts + 1, next_try_at = NULL, reply = $3
				WHERE report_id = $1 AND receiver = $2 AND sent_at IS NULL`
			delivered = `UPDATE reports SET delivered_at = staffeln_now(), given_up_at = NULL WHERE id = $1 AND delivered_at IS NULL`
			group     = `UPDATE report_groups SET delivered_at = greatest(delivered_at, (SELECT delivered_at FROM reports WHERE id = $2 AND kind = 'report')) WHERE id = $1`
		)
		if _, err := tx.Exec(ctx, first, c.Group); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sent, m.ReportID, m.Receiver, storable(response)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, delivered, m.ReportID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, group, c.Group, m.ReportID)
		return err
	})
	if err != nil {
		return fmt.Errorf("record that %s has report %s: %w", m.Receiver, m.ReportID, err)
	}
	return nil
}

// NotSent records why a receiver did not get the mail, and when it is tried again.
func (c *ReportLease) NotSent(ctx context.Context, m Mail, response string, retryAt time.Time) error {
	err := c.inLease(ctx, func(tx pgx.Tx) error {
		const q = `UPDATE report_mails SET attempts = attempts + 1, next_try_at = $3, reply = $4 WHERE report_id = $1 AND receiver = $2 AND sent_at IS NULL`
		_, err := tx.Exec(ctx, q, m.ReportID, m.Receiver, retryAt, storable(response))
		return err
	})
	if err != nil {
		return fmt.Errorf("record that %s does not have report %s: %w", m.Receiver, m.ReportID, err)
	}
	return nil
}

// GiveUp ends the tries to send one mail. If no receiver got the report and no mail of it is left to send, its records wait
// for the next report.
func (c *ReportLease) GiveUp(ctx context.Context, m Mail, response string) error {
	records := inOrder("records", `report_id = $1 OR removal_report_id = $1`) + `
		UPDATE records SET report_id = nullif(report_id, $1), removal_report_id = nullif(removal_report_id, $1) WHERE id IN (SELECT id FROM locked)`
	notices := inOrder("notices", `report_id = $1 OR operator_report_id = $1`) + `
		UPDATE notices SET report_id = nullif(report_id, $1), operator_report_id = nullif(operator_report_id, $1) WHERE id IN (SELECT id FROM locked)`
	err := c.inLease(ctx, func(tx pgx.Tx) error {
		const (
			end = `UPDATE report_mails SET attempts = attempts + 1, next_try_at = NULL, given_up_at = staffeln_now(), reply = $3
				WHERE report_id = $1 AND receiver = $2 AND sent_at IS NULL`
			giveUp = `UPDATE reports SET given_up_at = staffeln_now() WHERE id = $1 AND delivered_at IS NULL
				AND NOT EXISTS (SELECT FROM report_mails WHERE report_id = $1 AND given_up_at IS NULL)`
		)
		if _, err := tx.Exec(ctx, end, m.ReportID, m.Receiver, storable(response)); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, giveUp, m.ReportID)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		for _, q := range []string{records, notices} {
			if _, err := tx.Exec(ctx, q, m.ReportID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("give up report %s to %s: %w", m.ReportID, m.Receiver, err)
	}
	return nil
}

// contentTime is how long the content of a report is kept after its last mail is done. Who got it and when is kept as long as
// history.
const contentTime = 7 * 24 * time.Hour

// ForgetReports deletes the reports made before the given time (nil: none), and the content of those that are no longer
// needed.
func (b *Run) ForgetReports(ctx context.Context, before *time.Time) error {
	const (
		done        = `NOT EXISTS (SELECT FROM report_mails m WHERE m.report_id = reports.id AND m.sent_at IS NULL AND m.given_up_at IS NULL)`
		dropContent = `UPDATE reports SET content = NULL WHERE created_at < $1 AND content IS NOT NULL AND ` + done
		rows        = `DELETE FROM reports WHERE created_at < $1 AND ` + done
		// A notice whose condition still holds is not deleted: it would be written again.
		conditionHolds = `(EXISTS (SELECT FROM protection_ends e WHERE kind = 'protection_ended' AND e.volume_id = notices.volume_id AND e.project_id = notices.project_id)
			OR EXISTS (SELECT FROM volumes v WHERE kind = 'retention_shortened' AND v.id = notices.volume_id AND v.shorter_retention IS NOT NULL))`
		// The finding is kept as long as the project is checked again: it still has something to report.
		oldFindings = `DELETE FROM findings f WHERE reason = 'no_receiver'
			AND NOT EXISTS (SELECT FROM report_groups g WHERE g.id = f.object AND g.next_try_at > $1::timestamptz - interval '1 day')`
	)
	notices := inOrder("notices", `created_at < $1 AND NOT `+conditionHolds) + `DELETE FROM notices WHERE id IN (SELECT id FROM locked)`
	err := b.inTerm(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, oldFindings, b.Now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, dropContent, b.Now.Add(-contentTime)); err != nil || before == nil {
			return err
		}
		if _, err := tx.Exec(ctx, notices, *before); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, rows, *before)
		if n := tag.RowsAffected(); n > 0 {
			zerolog.Ctx(ctx).Info().Int64("reports", n).Time("before", *before).Msg("history of reports forgotten")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("forget reports: %w", err)
	}
	return nil
}
