package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// advice returns what an operator can do about a stuck backup.
func (w *Worker) advice(backupID string) string {
	by := "restart cinder-backup, or free it with a token of its project (openstack volume backup delete --force " + backupID +
		"; where that is refused, as by Ceph: openstack volume backup set --state error " + backupID + ")"
	if !w.Settings.StuckReset {
		by += ", or set STAFFELN_STUCK_RESET=true"
	}
	return by
}

// unstick does the next step for a stuck backup, if the operator allows that. First
// it force-deletes the backup. If Cinder refuses that (only its chunked drivers can),
// or the backup is still there after grace, it sets the status to error, and the
// backup is removed like any leftover. The record names each step before it is
// taken. If no step is due, r is returned unchanged.
func (w *Worker) unstick(ctx context.Context, c *db.Lease, r backup.Record, b backup.Backup, grace time.Duration) (backup.Record, error) {
	step := backup.NextRepair(c.Now, r, grace)
	if step == "" || !b.Status.MayHang() {
		return r, nil
	}
	if step == backup.Force {
		after, err := w.repair(ctx, c, r, b, step)
		if !backup.Means(err, backup.MeansRefused) && !backup.Means(err, backup.MeansBackupState) {
			return after, err
		}
		r = after
	}
	return w.repair(ctx, c, r, b, backup.Reset)
}

// nextSlowPoll returns when something that hangs is checked again.
func (w *Worker) nextSlowPoll(now time.Time) time.Time {
	return now.Add(overdueFactor * w.Settings.PollPeriod.Std())
}

// repair takes one step. An error is Cinder's refusal, or means that the step will
// be taken again.
func (w *Worker) repair(ctx context.Context, c *db.Lease, r backup.Record, b backup.Backup, step backup.Repair) (backup.Record, error) {
	before, code, again := r, backup.Forced, w.nextSlowPoll(c.Now)
	if step == backup.Reset {
		code, again = backup.StatusReset, w.nextPoll(c.Now, time.Time{})
	}
	why := db.Why{Reason: code, Text: fmt.Sprintf("Cinder's status of the backup was %s", b.Status)}
	r, err := c.Repair(ctx, r, step, why, again)
	if err != nil {
		return r, err
	}
	request, done := shielded(ctx)
	defer done()
	if step == backup.Reset {
		err = w.Cloud.ResetBackup(request, b, backup.StatusError)
	} else {
		err = w.Cloud.ForceDeleteBackup(request, b)
	}
	outcome := outcomeOf(err)
	w.Metrics.Repair(string(step), outcome)
	zerolog.Ctx(ctx).Warn().Err(err).EmbedObject(telemetry.IDs{RecordID: r.ID, VolumeID: r.VolumeID, ProjectID: r.ProjectID, BackupID: b.ID}).
		Str("reason", string(code)).Str("status", string(b.Status)).Str("outcome", outcome).Msg("stuck backup: " + string(step))
	movedOn := step == backup.Reset && backup.Means(err, backup.MeansBackupState)
	switch {
	case outcome == "accepted":
		return r, nil // also if it is gone by now: the next check confirms that
	case outcome == "unknown" || movedOn:
		last, cancel := lasting(ctx)
		defer cancel()
		after, noted := c.NotRepaired(last, r, before, w.nextPoll(c.Now, time.Time{}))
		if movedOn {
			return after, noted
		}
		return after, errors.Join(err, noted)
	}
	return r, err
}

// outcomeOf returns the result of a request as a value of the metric's label.
func outcomeOf(err error) string {
	if err == nil || backup.Means(err, backup.MeansNotFound) {
		return "accepted"
	}
	if _, final := reasonOf(err); final {
		return "refused"
	}
	return "unknown"
}

// unstickOverdue does the same for a backup whose creation never ends. Its record
// fails when the next poll finds the backup gone or in error.
func (w *Worker) unstickOverdue(ctx context.Context, c *db.Lease, r backup.Record, b backup.Backup) error {
	grace := w.nextSlowPoll(c.Now).Sub(c.Now)
	if b.Status == backup.StatusDeleting {
		grace = w.Settings.BackupCycleTimeout.Std() // force-deleted, and the deletion is in progress
	}
	after, err := w.unstick(ctx, c, r, b, grace)
	if err != nil && !errors.Is(err, db.ErrPaused) {
		if _, final := reasonOf(err); !final {
			return err
		}
		// the record has the refused step; the log has the reason
	}
	again := w.nextSlowPoll(c.Now)
	if after.Repair == backup.Reset && r.Repair != backup.Reset {
		again = w.nextPoll(c.Now, time.Time{})
	}
	_, err = c.Later(ctx, after, b.Status, again)
	return err
}

// failReset ends a record whose backup was set to error because it hung.
func (w *Worker) failReset(ctx context.Context, c *db.Lease, r backup.Record) error {
	return w.fail(ctx, c, r, db.Why{
		Reason: backup.StatusReset,
		Text: "it did not end by its deadline, " + r.Deadline.UTC().Format(time.RFC3339) + ", and its status was set to error (STAFFELN_STUCK_RESET)" +
			"; if the volume remains in backing-up, restart cinder-backup, or reset the volume's state manually",
	})
}

// stuck reports whether a requested removal hangs: it failed, or it takes longer
// than a backup may take, or the creation never ended.
func (p *pass) stuck(r backup.Record, b backup.Backup) bool {
	switch b.Status {
	case backup.StatusErrorDeleting:
		return true
	case backup.StatusDeleting:
		return r.DeletionRequestedAt != nil && p.c.Now.Sub(*r.DeletionRequestedAt) > p.w.Settings.BackupCycleTimeout.Std()
	case backup.StatusCreating:
		return r.Deadline == nil || !p.c.Now.Before(*r.Deadline)
	case backup.StatusAvailable, backup.StatusRestoring, backup.StatusError, backup.StatusSpoilt, backup.StatusLost:
	}
	return false
}

// unstick does the next step for a removal that hangs, or gives it up.
func (p *pass) unstick(ctx context.Context, r backup.Record, b backup.Backup) (backup.Record, error) {
	why := db.Why{Reason: backup.DeletionStuck, Text: "Cinder's status of the backup is " + string(b.Status) + ": " + b.FailReason + "; " + p.w.advice(b.ID)}
	if !p.w.Settings.StuckReset {
		return p.giveUp(ctx, r, why)
	}
	grace := p.w.Settings.RetentionServicePeriod.Std()
	switch {
	case b.Status == backup.StatusDeleting:
		grace = p.w.Settings.BackupCycleTimeout.Std() // force-deleted, and the deletion is in progress
	case p.purge != purgeNothing:
		grace = p.w.Settings.PollPeriod.Std() // an operator waits for it
	}
	switch due := backup.NextRepair(p.c.Now, r, grace); {
	case due == "" && r.Repair == backup.Reset:
		why.Text = "it was set to error and hangs again. " + why.Text
		return p.giveUp(ctx, r, why)
	case due == "":
		return p.c.Later(ctx, r, b.Status, p.w.nextSlowPoll(p.c.Now))
	}
	after, err := p.w.unstick(ctx, p.c, r, b, grace)
	if err == nil || errors.Is(err, db.ErrPaused) {
		return after, nil
	}
	refusal, final := reasonOf(err)
	if !final {
		return after, err
	}
	refusal.Text += "; " + p.w.advice(b.ID)
	return p.giveUp(ctx, after, refusal)
}
