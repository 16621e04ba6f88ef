package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// Reconcile compares all backups that Cinder has with all our records: those of
// ours that no record knows get one, or are a finding where none can; those
// that others removed are recorded as lost. A listing raises suspicions only; a
// loss is written after a 404 by ID.
func (s *Scheduler) Reconcile(ctx context.Context, b *db.Run) error {
	if err := s.Cloud.VerifyAdmin(ctx); err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	seen, unknown, held := 0, 0, heldSecrets{}
	err := s.Cloud.AllBackups(ctx, func(page []backup.Backup) error {
		seen += len(page)
		s.holdSecrets(held, page)
		n, err := s.compare(ctx, b, page)
		unknown += n
		return err
	})
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if unknown == 0 {
		s.conditions.Over(zerolog.Ctx(ctx), removedListed).Msg("removed backups listed by Cinder checked again")
	}
	if err := s.closePurged(ctx, b); err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if err := s.forget(ctx, b); err != nil {
		return err
	}
	accepted, err := b.LossesConfirmed(ctx)
	if err != nil {
		return err
	}
	openLosses, unconfirmed, err := s.missing(ctx, b, accepted)
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if unconfirmed != nil {
		return s.endUnconfirmed(ctx, b, *unconfirmed)
	}
	lost, err := b.Lost(ctx)
	if err != nil {
		return err
	}
	spoilt, err := b.Spoilt(ctx)
	if err != nil {
		return err
	}
	unasked, err := b.Unasked(ctx)
	if err != nil {
		return err
	}
	secretless, err := s.missingSecrets(ctx, b, held, accepted)
	if err != nil {
		return err
	}
	if accepted && openLosses == 0 { // a secret that Barbican never tells of, as a private one, keeps no word standing
		if err := b.EndLossConfirmation(ctx); err != nil {
			return err
		}
	}
	if err := s.found(ctx, b, slices.Concat(spoilt, unasked, secretless)); err != nil {
		return err
	}
	if _, err := b.RecordReconcileFindings(ctx, slices.Concat(lost, spoilt, unasked, secretless), true); err != nil { // each loss was told when it came
		return err
	}
	if err := s.countFindings(ctx, b); err != nil {
		return err
	}
	s.routine.line(ctx, "reconcile", b.Now, false, unknown).Int("backups", seen).Int("unknown", unknown).Msg("reconcile run finished")
	return b.Done(ctx, db.SweepBeat, b.Now)
}

// compare looks at one page of Cinder's backups. It returns of how many removed
// ones it is not known whether Cinder has them.
func (s *Scheduler) compare(ctx context.Context, b *db.Run, page []backup.Backup) (unknown int, err error) {
	strangers, err := b.Seen(ctx, page)
	if err != nil {
		return 0, err
	}
	if unknown, err = s.reappeared(ctx, b, page); err != nil {
		return unknown, err
	}
	var findings []backup.Finding
	for _, one := range page {
		if !slices.Contains(strangers, one.ID) || !s.Identity.Made(one) {
			continue
		}
		f, err := s.orphan(ctx, b, one)
		if err != nil {
			return unknown, err
		}
		if f != nil {
			findings = append(findings, *f)
		}
	}
	return unknown, s.found(ctx, b, findings)
}

// found keeps findings of a sweep that is not over, and tells the new ones.
func (s *Scheduler) found(ctx context.Context, b *db.Run, findings []backup.Finding) error {
	if len(findings) == 0 {
		return nil
	}
	fresh, err := b.RecordReconcileFindings(ctx, findings, false)
	if err != nil {
		return err
	}
	logFindings(ctx, fresh)
	return nil
}

// orphan looks at a backup of ours that no record has. It came of a request of
// ours: the record that still waits for its answer adopts it by itself (its
// worker looks for the tag), any other gives it a record of its own. Where the
// record itself is forgotten, or names another volume, somebody has to look: a
// database that was restored from an older dump knows as little of it as a
// cloned one that woke up, and neither may remove it.
func (s *Scheduler) orphan(ctx context.Context, b *db.Run, one backup.Backup) (*backup.Finding, error) {
	r, ok, err := b.ByID(ctx, one.Tag().Record)
	if err != nil || s.Identity.Adoptable(r, one) {
		return nil, err
	}
	ended := one.Status == backup.StatusAvailable || one.Status == backup.StatusError || one.Status == backup.StatusErrorDeleting
	stuck := one.Status == backup.StatusCreating && b.Now.Sub(one.CreatedAt) > s.Settings.Timeout(one.SizeGiB)
	switch {
	case one.Status == backup.StatusDeleting: // somebody has looked
		return nil, nil
	case !ok:
		return orphaned(one, backup.Orphan, "no record "+one.Tag().Record+" of it is known"), nil
	case r.VolumeID != one.VolumeID || r.ProjectID != one.ProjectID:
		return orphaned(one, backup.TagMismatch, fmt.Sprintf("its record %s is about volume %s of project %s", r.ID, r.VolumeID, r.ProjectID)), nil
	case stuck:
		return orphaned(one, backup.Orphan, "its record "+r.ID+" has another one, and it is still creating"), nil
	case !ended:
		return nil, nil
	}
	zerolog.Ctx(ctx).Warn().Str("record", r.ID).Str("backup", one.ID).Str("volume", one.VolumeID).Str("project", one.ProjectID).Msg("duplicate backup of one request")
	return nil, b.Twin(ctx, r, one)
}

// orphaned says what was seen and what to do.
func orphaned(one backup.Backup, why backup.Reason, seen string) *backup.Finding {
	return &backup.Finding{
		Reason: why, ProjectID: one.ProjectID, Object: one.ID, VolumeID: one.VolumeID,
		Detail: fmt.Sprintf("backup %q of volume %s, made %s: %s; restore the database that has it, or keep it by hand, "+
			"or remove it with a token of its project: openstack volume backup delete %s",
			one.Name, one.VolumeID, one.CreatedAt.UTC().Format(time.RFC3339), seen, one.ID),
	}
}

// More than this many losses at once, and more than one in a hundred, are not
// believed: rather our view of the cloud is broken.
const (
	believableLosses = 10
	believableShare  = 100
)

// missing records what others removed; open is of how many it is not known
// whether they were, the doubt is why nothing was written. However many the
// operator accepts, each is confirmed by ID.
func (s *Scheduler) missing(ctx context.Context, b *db.Run, accepted bool) (open int, unconfirmed *backup.Finding, err error) {
	missing, available, err := b.Missing(ctx, accepted)
	if err != nil {
		return 0, nil, err
	}
	if !accepted && len(missing) > believableLosses && len(missing)*believableShare > available {
		return len(missing), &backup.Finding{Reason: backup.LossesUnconfirmed, Object: "records", Detail: fmt.Sprintf(
			"at least %d of %d restore points are not in Cinder's listing; nothing was written: check the service user's admin role and Cinder's database; where they are gone for good: staffeln confirm-lost",
			len(missing), available)}, nil
	}
	for _, r := range missing {
		_, err := s.Cloud.Backup(ctx, r.ProjectID, r.BackupID)
		switch {
		case err == nil:
		case backup.Means(err, backup.MeansNotFound):
			zerolog.Ctx(ctx).Error().Str("record", r.ID).Str("backup", r.BackupID).Str("volume", r.VolumeID).Str("project", r.ProjectID).
				Msg("backup was removed by somebody else")
			if err := b.Lose(ctx, r.ID); err != nil {
				return open, nil, err
			}
		default:
			open++
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "losses", "").Err(err).Str("record", r.ID).Msg("loss not confirmed, will be tried again")
		}
	}
	if open == 0 {
		s.conditions.Over(zerolog.Ctx(ctx), "losses").Msg("losses confirmed again")
	}
	return open, nil, nil
}

// doubt ends a sweep that believes too little to write anything. The next one
// comes in its turn: to list the whole cloud again at once would show the same.
func (s *Scheduler) endUnconfirmed(ctx context.Context, b *db.Run, why backup.Finding) error {
	if err := s.found(ctx, b, []backup.Finding{why}); err != nil {
		return err
	}
	if err := s.countFindings(ctx, b); err != nil {
		return err
	}
	if err := b.Done(ctx, db.SweepBeat, b.Now); err != nil {
		return err
	}
	return fmt.Errorf("reconcile: %s", why.Detail)
}
