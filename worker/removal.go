package worker

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
)

// remove decides on the backups that Cinder has, and requests the deletions.
func (p *pass) remove(ctx context.Context, backups []backup.Backup) error {
	records := make(map[string]backup.Record, len(p.records))
	for _, r := range p.records {
		if r.BackupID != "" {
			records[r.BackupID] = r
		}
	}
	var links []backup.Link
	for _, b := range backups {
		var mine *backup.Record
		if r, ok := records[b.ID]; ok {
			mine = &r
		}
		links = append(links, backup.LinkOf(b, mine, p.volume.Retention))
	}
	constraints := backup.ConstraintsOf(p.project, p.volume.Guard(p.w.Settings), p.records)
	constraints.Purged = p.purge == purgeAll
	removals, kept := backup.Expired(p.c.Now, constraints, links)
	if err := p.recordForeign(ctx, records, links); err != nil {
		return err
	}
	if err := p.takeBack(ctx, records, kept); err != nil {
		return err
	}
	if err := p.delayRecovered(ctx, records, kept); err != nil {
		return err
	}
	var failed error
	for _, removal := range removals {
		if r := records[removal.BackupID]; p.due(r) {
			failed = errors.Join(failed, p.delete(ctx, r, p.inCinder[removal.BackupID], removal.Reason))
		}
	}
	return failed
}

// recordForeign records on which restore points foreign backups build, and on which they no
// longer do: no forecast promises the removal of such a restore point.
func (p *pass) recordForeign(ctx context.Context, records map[string]backup.Record, links []backup.Link) error {
	foreign := backup.ForeignDependents(links)
	for _, l := range links {
		r := records[l.BackupID]
		why := r.RemovalReasonSeen(foreign[l.BackupID], l.Depended)
		if l.Foreign() || why == r.RemovalReason {
			continue
		}
		if _, err := p.c.Hold(ctx, r, why); err != nil {
			return err
		}
		if why != "" {
			zerolog.Ctx(ctx).Info().EmbedObject(db.IDsOf(r)).
				Str("reason", string(why)).Msg("foreign backup builds on restore point")
		}
	}
	return nil
}

// delayRecovered checks a backup less often that became available after its record had
// failed: it expires by its retention, and nobody waits for that.
func (p *pass) delayRecovered(ctx context.Context, records map[string]backup.Record, kept []backup.Kept) error {
	for _, k := range kept {
		if r := records[k.BackupID]; r.Leftover() && k.Status == backup.StatusAvailable && p.due(r) {
			if _, err := p.c.Later(ctx, r, k.Status, p.c.Now.Add(p.w.Settings.RetentionServicePeriod.Std())); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeBack takes back removals that never reached Cinder and are no longer wanted:
// the retention grew, or a dependent was added.
func (p *pass) takeBack(ctx context.Context, records map[string]backup.Record, kept []backup.Kept) error {
	for _, k := range kept {
		r, ours := records[k.BackupID]
		if ours && r.State == backup.Deleting && k.Status == backup.StatusAvailable {
			if _, err := p.c.TakeBack(ctx, r, k.Reason); err != nil {
				return err
			}
		}
	}
	return nil
}

// delete requests one deletion from Cinder. The record is written first, so a lost response is not forgotten.
func (p *pass) delete(ctx context.Context, r backup.Record, b backup.Backup, reason backup.Reason) error {
	r, err := p.c.StartRemoval(ctx, r, reason)
	if err != nil {
		return err
	}
	request, done := shielded(ctx)
	defer done()
	err = p.w.Cloud.DeleteBackup(request, b)
	last, cancel := lasting(ctx)
	defer cancel()
	if err == nil {
		return nil
	}
	if backup.Means(err, backup.MeansNotFound) {
		_, err = p.confirm(last, r)
		return err
	}
	if backup.Means(err, backup.MeansBackupState) {
		// an earlier request of ours whose response was lost may be in progress
		now, again := p.w.Cloud.Backup(last, p.project, r.BackupID)
		switch {
		case backup.Means(again, backup.MeansNotFound):
			_, err = p.c.Removed(last, r)
			return err
		case again == nil && now.Status == backup.StatusDeleting:
			return nil
		}
	}
	why, final := reasonOf(err)
	if !final {
		_, noted := p.c.Later(last, r, b.Status, p.w.nextPoll(p.c.Now, time.Time{}))
		return errors.Join(err, noted)
	}
	if why.Reason == backup.Refused {
		why.Reason = backup.DeletionRefused
	}
	if r.DeletionRefusedSince != nil && p.c.Now.Sub(*r.DeletionRefusedSince) > giveUpAfter {
		_, noted := p.giveUp(last, r, why)
		return p.refusal(err, noted)
	}
	level := zerolog.WarnLevel
	if r.DeletionRefusedSince != nil {
		level = zerolog.DebugLevel // it was logged before
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(err).EmbedObject(telemetry.IDs{RecordID: r.ID, VolumeID: r.VolumeID, ProjectID: r.ProjectID, BackupID: b.ID}).
		Str("reason", string(why.Reason)).Msg("removal refused, will be tried again")
	_, noted := p.c.RefuseRemoval(last, r, why, p.c.Now.Add(p.w.Settings.RetentionServicePeriod.Std()))
	return p.refusal(err, noted)
}

// refusal returns a refusal to the operator who waits for it. A handler has it
// in the record, and its task succeeds.
func (p *pass) refusal(refusal, noted error) error {
	if p.purge == purgeNothing {
		return noted
	}
	return errors.Join(refusal, noted)
}

func (p *pass) giveUp(ctx context.Context, r backup.Record, why db.Why) (backup.Record, error) {
	after, err := p.c.GiveUpRemoval(ctx, r, why, p.c.Now.Add(giveUpAfter))
	if err == nil {
		level := zerolog.ErrorLevel
		if before := p.before[r.ID]; before.State == backup.Undeletable && before.RemovalReason == why.Reason {
			level = zerolog.DebugLevel // it was logged before
		}
		zerolog.Ctx(ctx).WithLevel(level).EmbedObject(db.IDsOf(r)).
			Str("reason", string(why.Reason)).Str("cause", why.Text).Msg("backup not removable")
	}
	return after, err
}
