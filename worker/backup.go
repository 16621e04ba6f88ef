package worker

import (
	"cmp"
	"context"
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
// the planned backup, or finds out the result of a request
// whose response is missing.
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
		return nil // dispatch enqueues it when it is due
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
// a backup; the worker decides which kind, from the current records and volume. A
// full that becomes a forced one only here is not held back, because it has its
// slot already, but the cap on forced fulls counts it from now on.
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
			d.Kind, d.ForcedFull = backup.Full, true
		}
		r.ForcedFull = d.ForcedFull
		return w.ask(ctx, c, r, d.Kind)
	case backup.Fail:
		return w.fail(ctx, c, r, db.Why{Reason: d.Reason, Text: subject.Refusal()})
	case backup.Wait, backup.Withdraw:
		_, err := c.Withdraw(ctx, r, db.Why{Reason: d.Reason})
		return err
	}
	return nil
}

// ask sends one request to Cinder. The record states the request before it is sent, and its result afterwards.
// If Cinder has no parent for an incremental, the same attempt makes a full.
func (w *Worker) ask(ctx context.Context, c *db.Lease, r backup.Record, kind backup.Kind) error {
	// The name may be the cause of a 500: a second request with it would end the same way.
	plain := r.Attempts > 0 && r.Reason != "" && !isASCII(r.BackupName)
	r, err := c.StartCreation(ctx, r, kind, backup.Name(c.Now, r.ServerName, r.VolumeName), w.Settings.Timeout(r.SizeGiB))
	if err != nil {
		return err
	}
	request, done := shielded(ctx)
	defer done()
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
		zerolog.Ctx(ctx).Info().Err(err).EmbedObject(db.IDsOf(r)).Msg("no usable parent, creating a full instead")
		r.ForcedFull = true
		return w.ask(ctx, c, r, backup.Full)
	}
	return w.refused(last, c, r, err)
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}
