package worker

import (
	"context"
	"slices"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// find searches by tag for the backup of a request whose response is missing. Cinder is
// asked again only if no backup appears within POST_SETTLE_TIME: a request that timed
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
		zerolog.Ctx(ctx).Info().EmbedObject(telemetry.IDs{RecordID: r.ID, BackupID: oldest.ID}).Int("candidates", len(found)).Msg("backup adopted by its tag")
		_, err := c.Accept(ctx, r, oldest.ID)
		return err
	}
	retryAt := r.UnansweredRequestAt.Add(w.Settings.PostSettleTime.Std())
	if c.Now.Before(retryAt) {
		_, err := c.Unanswered(ctx, r, db.Why{Reason: backup.ResponseUnknown, Text: r.ReasonText, RequestID: r.RequestID}, w.nextPoll(c.Now, retryAt))
		return err
	}
	if !c.Now.Before(*r.Deadline) { // nobody searches for the effect any more
		return w.fail(ctx, c, r, db.Why{Reason: backup.CinderUnavailable, Text: r.ReasonText, RequestID: r.RequestID})
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
