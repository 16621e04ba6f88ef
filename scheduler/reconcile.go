package scheduler

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/internal/visible"
)

// Reconcile compares all backups in Cinder with all our records. A backup of ours
// without a record gets one, or becomes a finding if it can't have one. A backup
// that others removed is recorded as lost. A listing only raises a suspicion; a loss
// is written after a 404 by ID.
func (s *Scheduler) Reconcile(ctx context.Context, b *db.Run) error {
	if err := s.Cloud.VerifyAdmin(ctx); err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	seen, unknown, held := 0, 0, heldSecrets{}
	var foreign foreignBackups
	err := s.Cloud.AllBackups(ctx, func(page []backup.Backup) error {
		seen += len(page)
		n, err := s.compare(ctx, b, page, &foreign, held)
		unknown += n
		return err
	})
	if err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if unknown == 0 {
		s.conditions.Over(zerolog.Ctx(ctx), removedListed).Msg("removed backups listed by Cinder checked again")
	}
	if err := s.recordForeign(ctx, b, foreign); err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if err := s.closeDeletedProjects(ctx, b); err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	if err := s.forget(ctx, b); err != nil {
		return err
	}
	confirmed, err := b.LossesConfirmed(ctx)
	if err != nil {
		return err
	}
	openLosses, unconfirmed, err := s.missing(ctx, b, confirmed)
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
	unasked, err := b.UncheckedRemovals(ctx)
	if err != nil {
		return err
	}
	secretless, err := s.missingSecrets(ctx, b, held, confirmed)
	if err != nil {
		return err
	}
	if confirmed && openLosses == 0 { // a secret that Barbican never shows, such as a private one, must not keep the confirmation open
		if err := b.EndLossConfirmation(ctx); err != nil {
			return err
		}
	}
	if err := s.recordFindings(ctx, b, slices.Concat(spoilt, unasked, secretless)); err != nil {
		return err
	}
	if _, err := b.RecordReconcileFindings(ctx, slices.Concat(lost, spoilt, unasked, secretless), true); err != nil { // each loss was logged when it was found
		return err
	}
	if err := s.countFindings(ctx, b); err != nil {
		return err
	}
	b.Outcome = fmt.Sprintf("backups in Cinder compared: %d, restore points known to be lost: %d, other findings: %d", seen, len(lost), len(spoilt)+len(unasked)+len(secretless))
	s.routine.line(ctx, "reconcile", b.Now, false, unknown).Int("backups", seen).Int("unknown", unknown).Msg("reconcile run finished")
	return b.Done(ctx, db.ReconcileRun, b.Now)
}

// compare compares one page of Cinder's backups with the records. It adds the
// backups without a record of volumes that have records to foreign, and the secrets
// of those with a record to held. It returns for how many removed backups it is
// unknown whether Cinder still has them.
func (s *Scheduler) compare(ctx context.Context, b *db.Run, page []backup.Backup, foreign *foreignBackups, held heldSecrets) (unknown int, err error) {
	strangers, err := b.Seen(ctx, page)
	if err != nil {
		return 0, err
	}
	if unknown, err = s.reappeared(ctx, b, page); err != nil {
		return unknown, err
	}
	var findings []backup.Finding
	var others []backup.Backup
	var volumes []string
	for _, one := range page {
		if !slices.Contains(strangers, one.ID) {
			held.add(one)
			continue
		}
		others, volumes = append(others, one), append(volumes, one.VolumeID)
		if !s.Identity.Made(one) {
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
	with, err := b.WithRecords(ctx, volumes)
	if err != nil {
		return unknown, err
	}
	for _, one := range others {
		if with[one.VolumeID] {
			foreign.add(one)
		}
	}
	return unknown, s.recordFindings(ctx, b, findings)
}

// recordFindings records findings of a reconcile run that is not finished, and logs the new ones.
func (s *Scheduler) recordFindings(ctx context.Context, b *db.Run, findings []backup.Finding) error {
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

// orphan handles a backup of ours that no record names. It comes from a request of
// ours. A record that still waits for the response adopts the backup by its tag; for
// any other record the backup gets a record of its own. If the record is forgotten,
// or names another volume, the backup is a finding: our database may be restored from
// an older dump, or be a clone that was started, and neither may remove the backup.
func (s *Scheduler) orphan(ctx context.Context, b *db.Run, one backup.Backup) (*backup.Finding, error) {
	r, ok, err := b.ByID(ctx, one.Tag().Record)
	if err != nil || s.Identity.Adoptable(r, one) {
		return nil, err
	}
	ended := one.Status == backup.StatusAvailable || one.Status == backup.StatusError || one.Status == backup.StatusErrorDeleting
	stuck := one.Status == backup.StatusCreating && b.Now.Sub(one.CreatedAt) > s.Settings.Timeout(one.SizeGiB)
	switch {
	case one.Status == backup.StatusDeleting: // somebody is removing it already
		return nil, nil
	case !ok:
		return orphanFinding(one, backup.Orphan, "no record "+one.Tag().Record+" of it is known"), nil
	case r.VolumeID != one.VolumeID || r.ProjectID != one.ProjectID:
		return orphanFinding(one, backup.TagMismatch, fmt.Sprintf("its record %s is about volume %s of project %s", r.ID, visible.Named(r.VolumeName, r.VolumeID), visible.Named(r.ProjectName, r.ProjectID))), nil
	case stuck:
		return orphanFinding(one, backup.Orphan, "its record "+r.ID+" has another one, and it is still creating"), nil
	case !ended:
		return nil, nil
	}
	zerolog.Ctx(ctx).Warn().EmbedObject(telemetry.IDs{RecordID: r.ID, VolumeID: one.VolumeID, ProjectID: one.ProjectID, BackupID: one.ID}).Msg("duplicate backup of one request")
	return nil, b.Twin(ctx, r, one)
}

// orphanFinding returns the finding: what was seen and what to do.
func orphanFinding(one backup.Backup, why backup.Reason, seen string) *backup.Finding {
	return &backup.Finding{
		Reason: why, ProjectID: one.ProjectID, Object: one.ID, ObjectName: one.Name, VolumeID: one.VolumeID,
		Detail: fmt.Sprintf("of volume %s, made %s: %s; restore the database that has it, or keep it manually, "+
			"or remove it with a token of its project: openstack volume backup delete %s",
			one.VolumeID, one.CreatedAt.UTC().Format(time.RFC3339), seen, one.ID),
	}
}

// More than this many losses at once, and more than one in a hundred, are
// not confirmed: more likely our view of the cloud is broken.
const (
	plausibleLosses    = 10
	plausibleLossShare = 100
)

// missing records the backups that others removed. open is how many could not be
// checked; unconfirmed is the reason why nothing was written. Each loss is confirmed
// by ID, even if the operator confirmed the losses.
func (s *Scheduler) missing(ctx context.Context, b *db.Run, confirmed bool) (open int, unconfirmed *backup.Finding, err error) {
	missing, available, err := b.Missing(ctx, confirmed)
	if err != nil {
		return 0, nil, err
	}
	if !confirmed && len(missing) > plausibleLosses && len(missing)*plausibleLossShare > available {
		return len(missing), &backup.Finding{Reason: backup.LossesUnconfirmed, Object: "records", Detail: fmt.Sprintf(
			"at least %d of %d restore points are not in Cinder's listing; nothing was written: check the service user's admin role and Cinder's database; where they are gone for good: staffeln confirm-lost",
			len(missing), available)}, nil
	}
	for _, r := range missing {
		_, err := s.Cloud.Backup(ctx, r.ProjectID, r.BackupID)
		switch {
		case err == nil:
		case backup.Means(err, backup.MeansNotFound):
			zerolog.Ctx(ctx).Error().EmbedObject(db.IDsOf(r)).
				Msg("backup was removed by somebody else")
			if err := b.Lose(ctx, r.ID); err != nil {
				return open, nil, err
			}
		default:
			open++
			s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "losses", "").Err(err).EmbedObject(db.IDsOf(r)).Msg("loss not confirmed, will be tried again")
		}
	}
	if open == 0 {
		s.conditions.Over(zerolog.Ctx(ctx), "losses").Msg("losses confirmed again")
	}
	return open, nil, nil
}

// endUnconfirmed ends a reconcile run with too many losses to write anything. The next
// run comes at its normal time: listing the whole cloud again at once would show the same.
func (s *Scheduler) endUnconfirmed(ctx context.Context, b *db.Run, why backup.Finding) error {
	if err := s.recordFindings(ctx, b, []backup.Finding{why}); err != nil {
		return err
	}
	if err := s.countFindings(ctx, b); err != nil {
		return err
	}
	if err := b.Done(ctx, db.ReconcileRun, b.Now); err != nil {
		return err
	}
	return fmt.Errorf("reconcile: %s", why.Detail)
}
