package scheduler

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// Plan observes the whole cloud, decides for every volume, and stores what was
// seen, what was decided, and the new records. It acts on what it could see and
// logs what it could not see.
func (s *Scheduler) Plan(ctx context.Context, b *db.Run) error {
	inv, err := s.Cloud.Observe(ctx)
	if err := errors.Join(err, s.recordLogin(ctx, b, err), s.recordBursts(ctx, b)); err != nil {
		return fmt.Errorf("look at the cloud: %w", err)
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
	accepted, err := b.AbsencesConfirmed(ctx)
	if err != nil {
		return err
	}
	seen, err := s.observe(ctx, inv, known, accepted, func(ids []string) (map[string]bool, error) { return b.WithRecords(ctx, ids) })
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
	m.findings = append(append(m.findings, notSeen(inv)...), s.Cloud.Troubles()...)
	paused, err := b.Pauses(ctx)
	if err != nil {
		return err
	}
	p := newPlanner(b.Now, s.Settings)
	p.paused = paused
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
	if accepted && (!seen.tooManyMissing || !seen.open()) {
		if err := b.EndAbsenceConfirmation(ctx); err != nil {
			return err
		}
	}
	return b.Done(ctx, db.PlanRun, p.scheduledFor)
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
// list can't be read, the last known state stays; Cinder then refuses the deletion.
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

// store stores the results of a plan. Withdrawals come first: if the plan dies after
// them, the next one decides the same again. Volumes are written before the records
// that name them. Unchanged volumes are not written.
func (s *Scheduler) store(ctx context.Context, b *db.Run, seen *observation, known map[string]db.Volume, m *knowledge, p *planner) error {
	withdrawn, err := b.WithdrawAll(ctx, p.withdrawIDs, p.withdrawReasons)
	if err != nil {
		return err
	}
	var changed []db.Volume
	for _, id := range slices.Sorted(maps.Keys(m.volumes)) {
		if v := m.volumes[id]; !v.Same(known[id]) {
			changed = append(changed, *v)
		}
	}
	if err := b.Remember(ctx, changed, m.ends); err != nil {
		return err
	}
	if _, err := b.Notify(ctx, s.Settings.ReportPeriod.Std()); err != nil {
		return err
	}
	if err := b.SettleEnds(ctx); err != nil {
		return err
	}
	if err := b.ForgetVolumes(ctx, seen.forgotten); err != nil {
		return err
	}
	planned, err := b.Plan(ctx, p.records)
	if err != nil {
		return err
	}
	fresh, err := b.RecordFindings(ctx, m.findings, seen.inv.Complete())
	if err != nil {
		return err
	}
	logFindings(ctx, fresh)
	if err := s.recordEnds(ctx, b, false); err != nil {
		return err
	}
	if err := s.countFindings(ctx, b); err != nil {
		return err
	}
	if p.protections[backup.Gone], err = b.GoneCount(ctx); err != nil {
		return err
	}
	s.count(p)
	s.routine.line(ctx, "plan", b.Now, planned+withdrawn > 0, len(seen.inv.Servers), len(seen.inv.Volumes), p.protected, p.protections[backup.Late], p.unknown, seen.inv.Complete()).
		Int("servers", len(seen.inv.Servers)).Int("volumes", len(seen.inv.Volumes)).Int("protected", p.protected).
		Int("late", p.protections[backup.Late]).Int("planned", planned).Int("withdrawn", withdrawn).Int("unknown", p.unknown).
		Int("changed", len(changed)).Bool("complete", seen.inv.Complete()).Msg("plan finished")
	return nil
}

func (s *Scheduler) count(p *planner) {
	for d, n := range p.decisions {
		s.Metrics.Decision(string(d.action), string(d.reason), n)
	}
	volumes := map[string]int{}
	for _, one := range backup.Protections { // also those that no volume has
		volumes[string(one)] = p.protections[one]
	}
	s.Metrics.SetVolumes(volumes)
	s.Metrics.SetPauses(len(p.paused))
}

// planner decides for one volume after the other and collects the results.
type planner struct {
	now, scheduledFor time.Time
	settings          backup.Settings
	policy            backup.Policy
	paused            db.Pauses
	quotaFreed        map[string]time.Time // by project
	freeQuota         map[string]int       // GiB, by project
	decided           map[string]bool
	records           []backup.Record
	withdrawIDs       []string
	withdrawReasons   []backup.Reason
	decisions         map[decisionCode]int
	protections       map[backup.Protection]int // volumes
	protected         int                       // volumes, also those that the plan could not check
	unknown           int
}

type decisionCode struct {
	action backup.Action
	reason backup.Reason
}

func newPlanner(now time.Time, set backup.Settings) *planner {
	return &planner{
		now: now, scheduledFor: backup.Grid(now, set.BackupServicePeriod.Std()), settings: set, policy: set.Policy(),
		decided: map[string]bool{}, decisions: map[decisionCode]int{},
		protections: map[backup.Protection]int{},
	}
}

func (p *planner) decide(v *db.Volume, records []backup.Record) {
	p.decided[v.ID] = true
	point := backup.NewestPoint(v.ProjectID, records)
	p.protections[p.protection(v, point)]++
	if v.Protected {
		p.protected++
	}
	if v.Unknown {
		p.unknown++
		if !v.Protected || !v.SeenAt.Equal(p.now) {
			return // neither wanted nor unwanted: the previous decision stays
		}
	}
	subject := v.Subject(p.paused).Freed(p.quotaFreed)
	if freeGiB, known := p.freeQuota[v.ProjectID]; known && v.SizeGiB <= freeGiB {
		subject.QuotaFreed = &p.now
	}
	d := backup.Next(p.now, p.policy, subject, records)
	v.Action, v.Reason, v.DecidedAt, v.DecisionUntil = d.Action, d.Reason, &p.now, nil
	if !d.At.IsZero() {
		v.DecisionUntil = &d.At
	}
	p.decisions[decisionCode{d.Action, d.Reason}]++
	switch d.Action {
	case backup.Withdraw:
		for _, r := range records {
			if r.State == backup.Planned {
				p.withdrawIDs, p.withdrawReasons = append(p.withdrawIDs, r.ID), append(p.withdrawReasons, d.Reason)
			}
		}
	case backup.Create:
		p.records = append(p.records, p.record(v, backup.Planned, d, point))
	case backup.Fail:
		r := p.record(v, backup.Failed, d, point)
		r.Kind, r.ReasonText = backup.Full, fmt.Sprintf("the volume's status is %q; backups are made of available and in-use volumes", v.Status)
		p.records = append(p.records, r)
	case backup.Wait:
	}
}

func (p *planner) record(v *db.Volume, state backup.State, d backup.Decision, point *time.Time) backup.Record {
	return backup.Record{
		ProjectID: v.ProjectID, ProjectName: v.ProjectName, ServerID: v.ServerID, ServerName: v.ServerName,
		VolumeID: v.ID, VolumeName: v.Name, Zone: v.Zone, SizeGiB: v.SizeGiB, Encrypted: v.Encrypted,
		State: state, Kind: d.Kind, ForcedFull: d.ForcedFull, Retention: v.Retention.InForce,
		PlannedAt: p.scheduledFor, LastPointAt: point, Reason: d.Reason,
	}
}

// protection returns the protection of the volume, as far as this plan can see.
func (p *planner) protection(v *db.Volume, newestPoint *time.Time) backup.Protection {
	return backup.ProtectionFacts{
		Gone: v.GoneAt != nil, Wanted: v.Protected, Unseen: v.Unknown, HasPoint: newestPoint != nil,
		PastRPO: backup.PastRPO(p.now, p.settings.Late(), newestPoint, v.ProtectedSince),
	}.Protection()
}
