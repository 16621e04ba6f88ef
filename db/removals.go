package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// StartRemoval says, before it is done, that Cinder is asked to delete the
// backup: an available one, a failed leftover, or one that could not be
// deleted before; again where what became of the request before is not known.
// A refusal of more than a day ago begins no row with the next one; the repairs
// of a removal that hung are remembered until another one begins.
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

// Removed ends a record: Cinder answered by ID that it no longer has the
// backup. EndedAt stays the time at which the attempt ended.
func (c *Lease) Removed(ctx context.Context, r backup.Record) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Deleting, backup.Undeletable)}, backup.Deleted, `cinder_status = 'deleted', next_try_at = NULL, deletion_refused_since = NULL`, nil})
}

// RefuseRemoval leads back to where the removal began: Cinder refused it. The
// refusal is dated, and tried again from the given time on.
func (c *Lease) RefuseRemoval(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	to := backup.Available
	if r.AvailableAt == nil {
		to = backup.Failed
	}
	return c.move(ctx, r, change{guard{from: in(backup.Deleting)}, to, `removal_reason = @reason, removal_text = @text, next_try_at = @again,
		deletion_refused_since = coalesce(deletion_refused_since, staffeln_now())`, why.args(pgx.NamedArgs{"again": again})})
}

// TakeBack leads back to where the removal began: it never reached Cinder, and
// is not wanted any more. That is no refusal.
func (c *Lease) TakeBack(ctx context.Context, r backup.Record, why backup.Reason) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Deleting), wasMade: true},
		backup.Available, `removal_reason = @reason, removal_text = '', next_try_at = NULL`,
		pgx.NamedArgs{"reason": why},
	})
}

// Hold says that a restore point stays past its retention because of others'
// backups, or, without a reason, that it does not any more.
func (c *Lease) Hold(ctx context.Context, r backup.Record, why backup.Reason) (backup.Record, error) {
	return c.move(ctx, r, change{guard{from: in(backup.Available)}, backup.Available, `removal_reason = @reason, removal_text = ''`, pgx.NamedArgs{"reason": why}})
}

// GiveUpRemoval records that Cinder can't delete the backup. It is reported,
// and tried again from the given time on.
func (c *Lease) GiveUpRemoval(ctx context.Context, r backup.Record, why Why, again time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Deleting, backup.Undeletable)},
		backup.Undeletable, `removal_reason = @reason, removal_text = @text, next_try_at = @again`,
		why.args(pgx.NamedArgs{"again": again}),
	})
}
