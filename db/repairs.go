package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"staffeln/backup"
)

// Repair records, before the request is sent, that Cinder is asked to free a backup that hangs: one that is overdue, or one
// whose removal does not end. The reason is stored as that of the creation or of the removal, whichever hangs. Nothing else is
// tried before the given time.
func (c *Lease) Repair(ctx context.Context, r backup.Record, step backup.Repair, why Why, retryAt time.Time) (backup.Record, error) {
	set := `repair = @step, repaired_at = staffeln_now(), next_try_at = @again`
	if r.State == backup.Overdue {
		set += setWhy
	} else {
		set += `, removal_reason = @reason, removal_text = @text`
	}
	args := why.args(pgx.NamedArgs{"step": step, "again": retryAt})
	return c.move(ctx, r, change{guard{from: in(backup.Overdue, backup.Deleting, backup.Undeletable), hasBackup: true, unpaused: true}, r.State, set, args})
}

// NotRepaired reverts a recorded repair step: it is unknown whether Cinder got the request, and it is sent again from the
// given time on.
func (c *Lease) NotRepaired(ctx context.Context, r, before backup.Record, retryAt time.Time) (backup.Record, error) {
	return c.move(ctx, r, change{
		guard{from: in(backup.Overdue, backup.Deleting, backup.Undeletable)},
		r.State, `repair = @step, repaired_at = @at, next_try_at = @again`,
		pgx.NamedArgs{"step": before.Repair, "at": before.RepairedAt, "again": retryAt},
	})
}
