package worker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// overdueFactor is how many poll periods lie between two polls of an overdue record.
const overdueFactor = 10

// poll reads the volume's backup in progress, by ID and with a token of its
// project, and records how it ended. Any other status, also an unknown one,
// leaves the record in progress.
func (w *Worker) poll(ctx context.Context, c *db.Lease) error {
	records, err := c.Records(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(records, func(r backup.Record) bool { return r.State.InProgress() && r.BackupID != "" })
	if i < 0 {
		return nil
	}
	r := records[i]
	if !r.Due(c.Now) {
		return nil // dispatch enqueues it when it is due
	}
	b, err := w.Cloud.Backup(ctx, r.ProjectID, r.BackupID)
	if backup.Means(err, backup.MeansNotFound) {
		why, _ := reasonOf(err)
		why.Reason = backup.BackupGone
		after, err := c.FailGone(ctx, r, why)
		if err == nil {
			logFailure(ctx, c, after, why)
		}
		return err
	}
	if err != nil {
		return w.pollFailed(ctx, c, r, err)
	}
	strange := zerolog.Ctx(ctx).Debug
	if string(b.Status) != r.CinderStatus { // else it was logged before
		strange = zerolog.Ctx(ctx).Warn
	}
	switch b.Status {
	case backup.StatusAvailable:
		return w.finish(ctx, c, r, b, records)
	case backup.StatusError, backup.StatusErrorDeleting:
		if r.State == backup.Overdue && r.Repair != "" && w.Settings.StuckReset && b.Status == backup.StatusErrorDeleting {
			return w.unstickOverdue(ctx, c, r, b)
		}
		if r.Repair == backup.Reset && b.FailReason == "" {
			return w.failReset(ctx, c, r)
		}
		return w.failSeen(ctx, c, r, b)
	case backup.StatusCreating:
		if r.State == backup.Creating && !c.Now.Before(*r.Deadline) {
			return w.overdue(ctx, c, r, w.whyCreating(ctx, r))
		}
		if r.State == backup.Overdue && w.Settings.StuckReset {
			return w.unstickOverdue(ctx, c, r, b)
		}
	case backup.StatusDeleting, backup.StatusRestoring, backup.StatusSpoilt, backup.StatusLost:
		if r.Repair != "" && w.Settings.StuckReset && b.Status == backup.StatusDeleting {
			return w.unstickOverdue(ctx, c, r, b)
		}
		strange().EmbedObject(db.IDsOf(r)).Str("status", string(b.Status)).Msg("backup in progress is handled elsewhere")
	default:
		strange().EmbedObject(db.IDsOf(r)).Str("status", string(b.Status)).Msg("unknown backup status, backup still counts as in progress")
	}
	again := w.nextPoll(c.Now, time.Time{})
	if r.State == backup.Overdue {
		again = w.nextSlowPoll(c.Now)
	}
	_, err = c.Later(ctx, r, b.Status, again)
	return err
}

// finish records a restore point, and whether Cinder's clock is wrong.
func (w *Worker) finish(ctx context.Context, c *db.Lease, r backup.Record, b backup.Backup, records []backup.Record) error {
	after, err := c.Finish(ctx, r, b, backup.UsualDuration(c.Now, r, b, records))
	if err != nil {
		return err
	}
	if took, known := after.Took(); known {
		w.Metrics.BackupMade(string(after.Kind), took)
	}
	if after.ClockWrong() {
		w.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, string(backup.CinderClock), "").EmbedObject(db.IDsOf(r)).Str("reason", string(backup.CinderClock)).
			Time("cinder", *after.CinderTimestamp).Msg("backup time of Cinder out of bounds, own time used")
	} else {
		w.conditions.Over(zerolog.Ctx(ctx), string(backup.CinderClock)).Msg("backup times of Cinder within bounds again")
	}
	return c.CinderClock(ctx, after)
}

// pollFailed handles a backup in progress that can't be read now. Its deadline still
// applies. If its project is gone, the record fails.
func (w *Worker) pollFailed(ctx context.Context, c *db.Lease, r backup.Record, err error) error {
	switch why, _ := reasonOf(err); {
	case why.Reason == backup.ProjectGone:
		return w.fail(ctx, c, r, why)
	case r.State == backup.Creating && !c.Now.Before(*r.Deadline):
		return w.overdue(ctx, c, r, "can't be read ("+why.Text+")")
	}
	return w.wait(ctx, c, r, err)
}

// whyCreating returns why a backup is still creating, as far as that can be seen.
// If its volume was deleted in the meantime, the backup never ends: Cinder sets no
// error and refuses the deletion (measured on Zed).
func (w *Worker) whyCreating(ctx context.Context, r backup.Record) string {
	if _, err := w.Cloud.Volume(ctx, r.ProjectID, r.VolumeID); backup.Means(err, backup.MeansNotFound) {
		return "the volume is gone, so Cinder never ends its backup; still creating"
	}
	return "still creating"
}

func (w *Worker) overdue(ctx context.Context, c *db.Lease, r backup.Record, seen string) error {
	why := db.Why{
		Reason: backup.DeadlinePassed,
		Text:   seen + " at its deadline, " + r.Deadline.UTC().Format(time.RFC3339),
	}
	if !w.Settings.StuckReset {
		why.Text += "; should it not end: " + w.advice(r.BackupID)
	}
	after, err := c.PassDeadline(ctx, r, why, w.nextPoll(c.Now, time.Time{}))
	if err != nil {
		return err
	}
	logFailure(ctx, c, after, why)
	return nil
}

// failSeen ends the record of a backup that Cinder could not make, and logs the failure.
func (w *Worker) failSeen(ctx context.Context, c *db.Lease, r backup.Record, b backup.Backup) error {
	why := w.whyError(r, b)
	after, err := c.FailSeen(ctx, r, b, why)
	if err != nil {
		return err
	}
	logFailure(ctx, c, after, why)
	return nil
}

// whyError returns why Cinder could not make a backup.
func (w *Worker) whyError(r backup.Record, b backup.Backup) db.Why {
	if b.FailMeaning != backup.MeansNoService {
		return db.Why{Reason: backup.BackupError, Text: b.FailReason}
	}
	return db.Why{
		Reason: backup.NoServiceInZone,
		Text: fmt.Sprintf("%s No cinder-backup is up in zone %q: start one there, or map the zone %q with STAFFELN_BACKUP_ZONES",
			b.FailReason, w.Settings.BackupZones.Of(r.Zone), r.Zone),
	}
}
