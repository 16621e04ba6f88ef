package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// StartRemoval records, before the request is sent, that Cinder is asked to delete the backup: an available one, a failed
// leftover, or one that could not be deleted before. It may be repeated if the outcome of the previous request is unknown. A
// refusal more than a day ago does not form a series with the next one. The repairs of a stuck removal are kept until a new
// removal begins.
func (c *Lease) StartRemoval(ctx context.Context, r backup.Record, reason backup.Reason) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Available, backup.Failed, backup.Deleting, backup.Undeletable), hasBackup: true, unpaused: true},
		backup.Deleting,
		`deletion_requested_at = staffeln_now(), next_try_at = NULL, removal_reason = @reason, removal_text = '',
			deletion_refused_since = CASE WHEN NOT ` + isRemoving + ` AND changed_at <= staffeln_now() - interval '1 day' THEN NULL ELSE deletion_refused_since END,
			repair = CASE WHEN ` + isRemoving + ` THEN repair ELSE '' END,
			repaired_at = CASE WHEN ` + isRemoving + ` THEN repaired_at END`,
		pgx.NamedArgs{"reason": reason},
	})
}

// Removed ends a record: Cinder, asked by ID, no longer has the backup. EndedAt remains the time at which the attempt ended.
func (c *Lease) Removed(ctx context.Context, r backup.Record) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Deleting, backup.Undeletable)}, backup.Deleted, `cinder_status = 'deleted', next_try_at = NULL, deletion_refused_since = NULL`, nil})
}

// RefuseRemoval returns the record to the state before the removal, because Cinder refused the request. It records the time of
// the refusal and the time of the next try.
func (c *Lease) RefuseRemoval(ctx context.Context, r backup.Record, why Why, retryAt time.Time) (backup.Record, error) {
	to := backup.Available
	if r.AvailableAt == nil {
		to = backup.Failed
	}
	return c.move(ctx, r, change{guard{from: in(backup.Deleting)}, to, `removal_reason = @reason, removal_text = @text, next_try_at = @again,
		deletion_refused_since = coalesce(deletion_refused_since, staffeln_now())`, why.args(pgx.NamedArgs{"again": retryAt})})
}

// TakeBack returns the record to the state before the removal: the request never reached Cinder, and the removal is no longer
// wanted. This is not a refusal.
func (c *Lease) TakeBack(ctx context.Context, r backup.Record, why backup.Reason) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Deleting), wasMade: true},
		backup.Available, `removal_reason = @reason, removal_text = '', next_try_at = NULL`,
		pgx.NamedArgs{"reason": why},
	})
}

// Hold records that foreign backups build on a restore point, or, with an empty reason, that none does any more.
func (c *Lease) Hold(ctx context.Context, r backup.Record, why backup.Reason) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Available)}, backup.Available, `removal_reason = @reason, removal_text = ''`, pgx.NamedArgs{"reason": why}})
}

// GiveUpRemoval records that Cinder cannot delete the backup. It is reported, and tried again from the given time on.
func (c *Lease) GiveUpRemoval(ctx context.Context, r backup.Record, why Why, retryAt time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Deleting, backup.Undeletable)},
		backup.Undeletable, `removal_reason = @reason, removal_text = @text, next_try_at = @again`,
		why.args(pgx.NamedArgs{"again": retryAt}),
	})
}
