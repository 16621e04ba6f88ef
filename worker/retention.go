package worker

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// giveUpAfter is how long a refused removal is tried at each pass; then it is
// undeletable, reported, and tried at this pace.
const giveUpAfter = 24 * time.Hour

// retention removes what may be removed of one volume now, and confirms what
// is gone. It decides on what Cinder has, project by project, never on records
// alone.
func (w *Worker) retention(ctx context.Context, c *db.Claim) error {
	v, err := c.Volume(ctx)
	if err != nil {
		return err
	}
	records, err := c.Links(ctx)
	if err != nil {
		return err
	}
	var failed error
	for project, of := range byProject(records) {
		p := pass{w: w, c: c, volume: v, project: project, records: of}
		failed = errors.Join(failed, p.putOff(ctx, p.run(ctx)))
	}
	if failed != nil {
		return failed
	}
	return c.RemovalDone(ctx)
}

func byProject(records []backup.Record) map[string][]backup.Record {
	of := map[string][]backup.Record{}
	for _, r := range records {
		of[r.ProjectID] = append(of[r.ProjectID], r)
	}
	return of
}

// pass is the retention of one volume in one owning project.
type pass struct {
	w       *Worker
	c       *db.Claim
	volume  db.Volume
	project string
	records []backup.Record
	held    map[string]backup.Backup // what Cinder has of the volume in the project
}

func (p *pass) run(ctx context.Context) error {
	backups, err := p.w.Cloud.VolumeBackups(ctx, p.project, p.volume.ID)
	if err != nil {
		return err
	}
	p.held = make(map[string]backup.Backup, len(backups))
	for _, b := range backups {
		p.held[b.ID] = b
	}
	for i, r := range p.records {
		if r.State == backup.Deleting || r.State == backup.Undeletable {
			if p.records[i], err = p.follow(ctx, r); err != nil {
				return err
			}
		}
		if r.Leftover() {
			if p.records[i], err = p.confirmLeftover(ctx, r); err != nil {
				return err
			}
		}
	}
	return p.remove(ctx, backups)
}

// putOff ends a pass that the cloud refuses: only somebody's doing mends that,
// so it is told, and tried again at the next looks instead of at once.
func (p *pass) putOff(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	why, final := reasonOf(err)
	if !final {
		return err
	}
	zerolog.Ctx(ctx).Error().Err(err).Str("volume", p.volume.ID).Str("project", p.project).Str("reason", string(why.Reason)).
		Msg("backups of a project are out of reach, nothing is removed")
	again := p.c.Now.Add(p.w.Settings.RetentionServicePeriod.Std())
	if why.Reason == backup.ProjectGone {
		again = p.c.Now.Add(giveUpAfter)
	}
	for _, r := range p.records {
		if r.State == backup.Deleting || r.State == backup.Undeletable || r.Leftover() {
			if _, err := p.c.Later(ctx, r, backup.Status(r.CinderStatus), again); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow looks how a removal that was asked for is doing. What Cinder lists as
// gone is confirmed by ID.
func (p *pass) follow(ctx context.Context, r backup.Record) (backup.Record, error) {
	b, listed := p.held[r.BackupID]
	if !listed {
		return p.confirm(ctx, r)
	}
	stuck := b.Status == backup.StatusErrorDeleting ||
		b.Status == backup.StatusDeleting && r.DeletionAskedAt != nil && p.c.Now.Sub(*r.DeletionAskedAt) > p.w.Settings.BackupCycleTimeout.Std()
	if !stuck || r.State == backup.Undeletable && !due(p.c.Now, r) {
		return r, nil
	}
	if p.w.Settings.StuckReset {
		zerolog.Ctx(ctx).Warn().Str("record", r.ID).Str("backup", b.ID).Str("status", string(b.Status)).Msg("stuck removal is forced")
		if err := p.w.Cloud.ForceDeleteBackup(ctx, b); err != nil {
			return r, err
		}
		return p.c.Later(ctx, r, b.Status, p.c.Now.Add(p.w.Settings.RetentionServicePeriod.Std()))
	}
	why := db.Why{Reason: backup.DeletionStuck, Text: "Cinder's status of the backup is " + string(b.Status) + ": " + b.FailReason}
	return p.giveUp(ctx, r, why)
}

// confirm writes the end of a removal: only an answer by ID, in the scope of
// the owning project, proves it.
func (p *pass) confirm(ctx context.Context, r backup.Record) (backup.Record, error) {
	_, err := p.w.Cloud.Backup(ctx, p.project, r.BackupID)
	if backup.Means(err, backup.MeansNotFound) {
		return p.c.Removed(ctx, r)
	}
	return r, err
}

// confirmLeftover ends a leftover that somebody else removed.
func (p *pass) confirmLeftover(ctx context.Context, r backup.Record) (backup.Record, error) {
	if _, listed := p.held[r.BackupID]; listed {
		return r, nil
	}
	_, err := p.w.Cloud.Backup(ctx, p.project, r.BackupID)
	if !backup.Means(err, backup.MeansNotFound) {
		return r, err
	}
	if r, err = p.c.StartRemoval(ctx, r, backup.RemovedByOthers); err != nil {
		return r, err
	}
	return p.c.Removed(ctx, r)
}

// due tells whether r may be tried now.
func due(now time.Time, r backup.Record) bool { return r.NextTryAt == nil || !now.Before(*r.NextTryAt) }
