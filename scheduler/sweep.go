package scheduler

import (
	"context"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// Sweep compares all backups that Cinder has with all our records: those of
// ours that no record knows get one, those that others removed are recorded as
// lost. A listing raises suspicions only; a loss is written after a 404 by ID.
func (s *Scheduler) Sweep(ctx context.Context, b *db.Beat) error {
	if err := s.Cloud.VerifyAdmin(ctx); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	seen := 0
	err := s.Cloud.AllBackups(ctx, func(page []backup.Backup) error {
		seen += len(page)
		unknown, err := b.Seen(ctx, page)
		if err != nil {
			return err
		}
		for _, one := range page {
			if slices.Contains(unknown, one.ID) {
				if err := s.orphan(ctx, b, one); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if err := s.missing(ctx, b); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	if !s.Settings.HistoryTime.IsZero() {
		if _, err := b.Forget(ctx, s.Settings.HistoryTime.Before(b.Now)); err != nil {
			return err
		}
	}
	zerolog.Ctx(ctx).Info().Int("backups", seen).Msg("swept")
	return b.Done(ctx, db.SweepBeat, b.Now)
}

// orphan looks at a backup that no record has. One that carries our tag, by
// our user, came of a request of ours: the record that still waits for its
// answer adopts it by itself (its worker looks for the tag), any other gives
// it a record of its own. Where the record itself is forgotten, or names
// another volume, somebody has to look. Everything else is foreign and left alone.
func (s *Scheduler) orphan(ctx context.Context, b *db.Beat, one backup.Backup) error {
	if !s.Identity.Made(one) || one.Status != backup.StatusAvailable && one.Status != backup.StatusError {
		return nil
	}
	r, ok, err := b.ByID(ctx, one.Tag().Record)
	if err != nil || s.Identity.Adoptable(r, one) {
		return err
	}
	log := zerolog.Ctx(ctx).With().Str("record", one.Tag().Record).Str("backup", one.ID).Str("volume", one.VolumeID).Str("project", one.ProjectID).Logger()
	if !ok || r.VolumeID != one.VolumeID || r.ProjectID != one.ProjectID {
		log.Warn().Msg("backup carries our tag, but no record of ours is about it: nothing will remove it")
		return nil
	}
	log.Warn().Msg("second backup of one request")
	return b.Twin(ctx, r, one)
}

// More than this many losses at once, and more than one in a hundred, are not
// believed: rather our view of the cloud is broken.
const (
	believableLosses = 10
	believableShare  = 100
)

func (s *Scheduler) missing(ctx context.Context, b *db.Beat) error {
	missing, available, err := b.Missing(ctx)
	if err != nil {
		return err
	}
	if len(missing) > believableLosses && len(missing)*believableShare > available {
		return fmt.Errorf("at least %d of %d restore points are not in Cinder's listing; nothing was written: check the service user's admin role and Cinder's database",
			len(missing), available)
	}
	for _, r := range missing {
		_, err := s.Cloud.Backup(ctx, r.ProjectID, r.BackupID)
		switch {
		case err == nil:
		case backup.Means(err, backup.MeansNotFound):
			zerolog.Ctx(ctx).Error().Str("record", r.ID).Str("backup", r.BackupID).Str("volume", r.VolumeID).Str("project", r.ProjectID).
				Msg("backup was removed by somebody else")
			if err := b.Lose(ctx, r.ID); err != nil {
				return err
			}
		default:
			zerolog.Ctx(ctx).Warn().Err(err).Str("record", r.ID).Msg("loss not confirmed, will be tried again")
		}
	}
	return nil
}
