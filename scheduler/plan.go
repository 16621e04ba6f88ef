package scheduler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// Plan observes the whole cloud, decides for every volume, and stores what was
// seen, what was decided, and the new records. It decides by what it could see
// and logs what it could not see.
func (s *Scheduler) Plan(ctx context.Context, b *db.Run) error {
	inv, err := s.Cloud.Observe(ctx)
	if err := errors.Join(err, s.recordLogin(ctx, b, err), s.recordBursts(ctx, b)); err != nil {
		return fmt.Errorf("read the cloud: %w", err)
	}
	if err := ctx.Err(); err != nil { // the run was stopped: what it did not see is no finding
		return err
	}
	log := zerolog.Ctx(ctx)
	for _, unseen := range inv.Unseen {
		s.conditions.Met(log, zerolog.WarnLevel, "unseen", unseenForm(unseen)).Str("unseen", unseen).
			Str("detail", "check the service of OpenStack that it names; what was not seen keeps its state").Msg("plan does not see the whole cloud")
	}
	if inv.Complete() {
		s.conditions.Over(log, "unseen").Msg("plan sees the whole cloud again")
	}
	if err := s.restoring(ctx, b); err != nil {
		return err
	}
	known, again, err := s.known(ctx, b, inv)
	if err != nil {
		return err
	}
	confirmed, err := b.AbsencesConfirmed(ctx)
	if err != nil {
		return err
	}
	seen, err := s.observe(ctx, inv, known, confirmed, func(ids []string) (map[string]bool, error) { return b.WithRecords(ctx, ids) })
	if err != nil {
		return err
	}
	ids, projects := seen.moved(known)
	if seen.former, err = b.FormerRetention(ctx, ids, projects); err != nil {
		return err
	}
	m := merge(b.Now, seen, known, s.Settings.Bounds())
	if seen.tooManyMissing {
		m.findings = append(m.findings, seen.unconfirmedFinding(len(known)))
	}
	m.findings = slices.Concat(m.findings, notSeen(inv), s.Cloud.Troubles(), seen.leftBehind())
	if err := b.KeepDryRun(ctx, s.Settings.DryRun); err != nil {
		return err
	}
	paused, err := b.Pauses(ctx)
	if err != nil {
		return err
	}
	p := newPlanner(b.Now, s.Settings)
	p.paused, p.projectGone = paused, seen.goneProjects()
	if p.quotaFreed, err = b.QuotaFreed(ctx); err != nil {
		return err
	}
	if p.freeQuota, err = s.freeQuota(ctx, b); err != nil {
		return err
	}
	for records, err := range b.Histories(ctx, again) {
		if err != nil {
			return err
		}
		if v := m.volumes[records[0].VolumeID]; v != nil { // a newer leader may have added the volume in the meantime
			p.decide(v, records)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.volumes)) {
		if !p.decided[id] {
			p.decide(m.volumes[id], nil)
		}
	}
	if err := s.store(ctx, b, seen, known, m, p); err != nil {
		return err
	}
	if confirmed && (!seen.tooManyMissing || !seen.open()) {
		if err := b.EndAbsenceConfirmation(ctx); err != nil {
			return err
		}
	}
	return b.Done(ctx, db.PlanRun, p.now)
}

// notSeen returns a finding for each list that could not be read completely. It
// lasts until a plan sees the whole cloud again.
func notSeen(inv backup.Inventory) (found []backup.Finding) {
	for _, unseen := range inv.Unseen {
		list, _, _ := strings.Cut(unseen, ":")
		found = append(found, backup.Finding{Reason: backup.NotSeen, Object: list, Detail: unseen})
	}
	return found
}

// known returns the volumes that earlier plans saw, without those that are gone.
// again are the gone volumes that the cloud shows again; known has them too.
func (s *Scheduler) known(ctx context.Context, b *db.Run, inv backup.Inventory) (known map[string]db.Volume, again []string, err error) {
	if known, err = b.Volumes(ctx); err != nil {
		return nil, nil, err
	}
	var others []string
	for _, v := range inv.Volumes {
		if _, ok := known[v.ID]; !ok {
			others = append(others, v.ID)
		}
	}
	gone, err := b.GoneVolumes(ctx, others)
	if err != nil {
		return nil, nil, err
	}
	maps.Copy(known, gone)
	return known, slices.Sorted(maps.Keys(gone)), nil
}

// restoring lists once which backups tenants restore from at the moment. If the
// list can't be read, the last known state applies; Cinder then refuses the deletion.
func (s *Scheduler) restoring(ctx context.Context, b *db.Run) error {
	listed, err := s.Cloud.BackupsIn(ctx, backup.StatusRestoring)
	if err != nil {
		s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "list restoring", "").Err(err).Msg("backups being restored not listed, will be tried again")
		return nil
	}
	s.conditions.Over(zerolog.Ctx(ctx), "list restoring").Msg("backups being restored listed again")
	ids := make([]string, len(listed))
	for i, one := range listed {
		ids[i] = one.ID
	}
	return b.Restoring(ctx, ids)
}
