package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// viewAge is how old the plan's view of a volume may be before the volume is
// read again.
const viewAge = 5 * time.Minute

// backup does the next step for the volume's record in progress: it requests
// the planned backup, or finds out the result of a request whose answer is
// missing.
func (w *Worker) backup(ctx context.Context, c *db.Lease) error {
	records, err := c.Records(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(records, func(r backup.Record) bool { return r.State.InProgress() })
	if i < 0 || records[i].BackupID != "" {
		return nil
	}
	r := records[i]
	if !r.Due(c.Now) {
		return nil // dispatch brings it when it is due
	}
	switch {
	case r.State == backup.Planned && r.AdmittedAt != nil:
		return w.begin(ctx, c, r, slices.Delete(records, i, i+1))
	case r.State == backup.Creating && r.UnansweredRequestAt == nil:
		if !c.Now.Before(*r.Deadline) {
			return w.fail(ctx, c, r, db.Why{Reason: cmp.Or(r.Reason, backup.CinderUnavailable), Text: r.ReasonText, RequestID: r.RequestID})
		}
		return w.askAgain(ctx, c, r)
	case r.State == backup.Creating:
		return w.find(ctx, c, r)
	}
	return nil
}

// currentVolume returns the volume as the newest plan saw it or, if that is too
// old, as it is now. Its project may differ from the record's.
func (w *Worker) currentVolume(ctx context.Context, c *db.Lease, r backup.Record) (backup.Subject, error) {
	remembered, err := c.Volume(ctx)
	if err != nil {
		return backup.Subject{}, err
	}
	subject := remembered.Subject(nil) // pauses are checked when Cinder is asked
	subject.Manual = r.Manual
	if c.Now.Sub(remembered.SeenAt) <= viewAge && !r.Manual { // a manual backup does not wait for a plan
		return subject, nil
	}
	v, err := w.Cloud.Volume(ctx, r.ProjectID, r.VolumeID)
	switch {
	case backup.Means(err, backup.MeansNotFound):
		subject.Gone = true
	case err != nil:
		return subject, err
	default:
		subject.Volume = v
	}
	return subject, nil
}

// begin decides again before it requests anything. The plan decided that there is
// a backup; the worker decides which kind, from the current records and volume.
func (w *Worker) begin(ctx context.Context, c *db.Lease, r backup.Record, others []backup.Record) error {
	subject, err := w.currentVolume(ctx, c, r)
	if err != nil {
		return w.refused(ctx, c, r, err)
	}
	if !subject.Gone && subject.ProjectID != r.ProjectID {
		_, err := c.Withdraw(ctx, r, db.Why{Reason: backup.ProjectChanged})
		return err
	}
	subject.QuotaFreed = &c.Now // the plan has checked that a full quota is free again
	d := backup.Next(c.Now, w.Settings.Policy(), subject, others)
	switch d.Action {
	case backup.Create:
		if r.Reason == backup.FullAsked {
			d.Kind = backup.Full
		}
		return w.ask(ctx, c, r, d.Kind)
	case backup.Fail:
		return w.fail(ctx, c, r, db.Why{Reason: d.Reason, Text: fmt.Sprintf("the volume's status is %q; backups are made of available and in-use volumes", subject.Status)})
	case backup.Wait, backup.Withdraw:
		_, err := c.Withdraw(ctx, r, db.Why{Reason: d.Reason})
		return err
	}
	return nil
}

// ask sends one request to Cinder. The record says so before, and has the result after.
// If Cinder has no parent for an incremental, the same attempt makes a full.
func (w *Worker) ask(ctx context.Context, c *db.Lease, r backup.Record, kind backup.Kind) error {
	// The name may be the cause of a 500: a second request with it would end the same way.
	plain := r.Attempts > 0 && r.Reason != "" && !isASCII(r.BackupName)
	r, err := c.Ask(ctx, r, kind, backup.Name(c.Now, r.ServerName, r.VolumeName), w.Settings.Timeout(r.SizeGiB))
	if err != nil {
		return err
	}
	request, answered := shielded(ctx)
	defer answered()
	id, err := w.Cloud.CreateBackup(request, backup.Request{
		ProjectID: r.ProjectID, VolumeID: r.VolumeID, Name: r.BackupName, Kind: r.Kind,
		Tag:  backup.Tag{Installation: w.Identity.Installation, Record: r.ID},
		Zone: w.Settings.BackupZones.Mapped(r.Zone), Plain: plain,
	})
	last, cancel := lasting(ctx)
	defer cancel()
	switch {
	case err == nil:
		_, err = c.Accept(last, r, id)
		return err
	case backup.Means(err, backup.MeansNoParent) && kind == backup.Incremental:
		zerolog.Ctx(ctx).Info().Err(err).Str("record", r.ID).Msg("no usable parent, creating a full instead")
		return w.ask(ctx, c, r, backup.Full)
	}
	return w.refused(last, c, r, err)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// find looks by tag for the backup of a request whose answer is missing. Cinder is
// asked again only if no backup appears within the settle time: a request that timed
// out may still be executed minutes later.
func (w *Worker) find(ctx context.Context, c *db.Lease, r backup.Record) error {
	backups, err := w.Cloud.VolumeBackups(ctx, r.ProjectID, r.VolumeID)
	if err != nil {
		if why, _ := reasonOf(err); why.Reason == backup.ProjectGone || !c.Now.Before(*r.Deadline) {
			return w.fail(ctx, c, r, why) // if the backup exists, reconcile gives it a record
		}
		return w.wait(ctx, c, r, err)
	}
	links, err := c.Links(ctx)
	if err != nil {
		return err
	}
	var found []backup.Backup
	for _, b := range backups {
		// a tenant can write the tag on an older backup of ours
		taken := slices.ContainsFunc(links, func(l backup.Record) bool { return l.BackupID == b.ID })
		if w.Identity.Adoptable(r, b) && !taken {
			found = append(found, b)
		}
	}
	if len(found) > 0 {
		// of several, the oldest; reconcile gives each of the others a record
		oldest := slices.MinFunc(found, func(a, b backup.Backup) int { return a.CreatedAt.Compare(b.CreatedAt) })
		zerolog.Ctx(ctx).Info().Str("record", r.ID).Str("backup", oldest.ID).Int("candidates", len(found)).Msg("backup adopted by its tag")
		_, err := c.Accept(ctx, r, oldest.ID)
		return err
	}
	settled := r.UnansweredRequestAt.Add(w.Settings.PostSettleTime.Std())
	if c.Now.Before(settled) {
		_, err := c.Unanswered(ctx, r, db.Why{Reason: backup.AnswerUnknown, Text: r.ReasonText, RequestID: r.RequestID}, w.nextPoll(c.Now, settled))
		return err
	}
	if !c.Now.Before(*r.Deadline) {
		return w.fail(ctx, c, r, db.Why{Reason: backup.AnswerUnknown, Text: r.ReasonText, RequestID: r.RequestID})
	}
	return w.askAgain(ctx, c, r)
}

// askAgain requests the backup once more, maybe long after the plan: the volume may
// be gone by now, or owned by another project, whose data the old one must not get.
func (w *Worker) askAgain(ctx context.Context, c *db.Lease, r backup.Record) error {
	subject, err := w.currentVolume(ctx, c, r)
	if err != nil {
		if why, final := reasonOf(err); final {
			return w.fail(ctx, c, r, why)
		}
		return w.wait(ctx, c, r, err)
	}
	switch {
	case subject.Gone:
		return w.fail(ctx, c, r, db.Why{Reason: backup.VolumeGone})
	case subject.ProjectID != r.ProjectID:
		return w.fail(ctx, c, r, db.Why{Reason: backup.ProjectChanged})
	}
	return w.ask(ctx, c, r, r.Kind)
}

// nextPoll returns one poll period from now, but not later than the given end.
func (w *Worker) nextPoll(now, end time.Time) time.Time {
	next := now.Add(w.Settings.PollPeriod.Std())
	if end.After(now) && end.Before(next) {
		return end
	}
	return next
}

// fail ends the record and logs the failure.
func (w *Worker) fail(ctx context.Context, c *db.Lease, r backup.Record, why db.Why) error {
	after, err := c.Fail(ctx, r, why)
	if err != nil {
		return err
	}
	logFailure(ctx, c, after, why)
	return nil
}

// refused records a request that Cinder did not accept: as final, or as a wait.
// A wait is returned as an error, so that the queue shows it.
func (w *Worker) refused(ctx context.Context, c *db.Lease, r backup.Record, err error) error {
	why, final := reasonOf(err)
	if final {
		return w.fail(ctx, c, r, why)
	}
	if r.State == backup.Planned {
		return w.wait(ctx, c, r, err)
	}
	var ce *backup.CloudError
	if !errors.As(err, &ce) || ce.Unknown {
		why.Reason = backup.AnswerUnknown
		_, noted := c.Unanswered(ctx, r, why, w.nextPoll(c.Now, time.Time{}))
		return errors.Join(err, noted)
	}
	again := c.Now.Add(w.backOff(r.Attempts, ce.RetryAfter))
	if r.Deadline != nil && r.Deadline.After(c.Now) && r.Deadline.Before(again) {
		again = *r.Deadline
	}
	_, noted := c.NotAsked(ctx, r, why, again)
	return errors.Join(err, noted)
}

// wait leaves the record as it is for one poll period and returns err.
func (w *Worker) wait(ctx context.Context, c *db.Lease, r backup.Record, err error) error {
	last, cancel := lasting(ctx)
	defer cancel()
	_, noted := c.Later(last, r, backup.Status(r.CinderStatus), w.nextPoll(c.Now, time.Time{}))
	return errors.Join(err, noted)
}

// longestBackOff is the longest back-off of our own, unless one poll period is longer.
const longestBackOff = 16 * time.Minute

// backOff starts at one poll period, and is never shorter than the cloud asked
// for, up to [backup.MaxAskedWait].
func (w *Worker) backOff(attempts int, asked time.Duration) time.Duration {
	period := w.Settings.PollPeriod.Std()
	pause := backup.BackOff{First: period, Longest: max(period, longestBackOff)}.Pause(attempts)
	return max(pause, min(asked, backup.MaxAskedWait))
}
