package scheduler

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// Plan looks at the whole cloud, decides for every volume, and remembers: what
// was seen, what was decided, and the records that follow from it. It acts on
// what it could see and says what it could not.
func (s *Scheduler) Plan(ctx context.Context, b *db.Beat) error {
	inv, err := s.Cloud.Observe(ctx)
	if err != nil {
		return fmt.Errorf("look at the cloud: %w", err)
	}
	if err := ctx.Err(); err != nil { // what it did not see then is nobody's trouble
		return err
	}
	log := zerolog.Ctx(ctx)
	for _, unseen := range inv.Unseen {
		s.conditions.Met(log, zerolog.WarnLevel, "unseen", unseenForm(unseen)).Str("unseen", unseen).Msg("plan does not see the whole cloud")
	}
	if inv.Complete() {
		s.conditions.Over(log, "unseen").Msg("plan sees the whole cloud again")
	}
	if err := s.restoring(ctx, b); err != nil {
		return err
	}
	known, err := b.Volumes(ctx)
	if err != nil {
		return err
	}
	view := backup.Protect(inv, s.Settings.Keys())
	m := remember(b.Now, inv, view, known, s.Settings.Bounds())
	paused, err := b.Pauses(ctx)
	if err != nil {
		return err
	}
	p := newPlanner(b.Now, s.Settings, m)
	p.paused = paused
	for records, err := range b.Histories(ctx) {
		if err != nil {
			return err
		}
		if v := m.volumes[records[0].VolumeID]; v != nil { // a newer leader may have learned of it meanwhile
			p.decide(v, records)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(m.volumes)) {
		if !p.decided[id] {
			p.decide(m.volumes[id], nil)
		}
	}
	return s.keep(ctx, b, inv, m, p)
}

// restoring asks once which backups tenants restore from at the moment. Where
// that can't be read, what was known stays; Cinder's refusal then tells.
func (s *Scheduler) restoring(ctx context.Context, b *db.Beat) error {
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

// keep writes what a plan came to: volumes before the records that name them.
func (s *Scheduler) keep(ctx context.Context, b *db.Beat, inv backup.Inventory, m *memory, p *planner) error {
	volumes := make([]db.Volume, 0, len(m.volumes))
	for _, id := range slices.Sorted(maps.Keys(m.volumes)) {
		volumes = append(volumes, *m.volumes[id])
	}
	if err := b.Remember(ctx, volumes); err != nil {
		return err
	}
	if _, err := b.Notify(ctx, s.Settings.ReportPeriod.Std()); err != nil {
		return err
	}
	withdrawn, err := b.WithdrawAll(ctx, p.withdrawIDs, p.withdrawReasons)
	if err != nil {
		return err
	}
	planned, err := b.Plan(ctx, p.records)
	if err != nil {
		return err
	}
	fresh, err := b.Found(ctx, m.findings, inv.Complete())
	if err != nil {
		return err
	}
	tellFindings(ctx, fresh)
	if err := s.tellEnds(ctx, b, false); err != nil {
		return err
	}
	if err := s.countFindings(ctx, b); err != nil {
		return err
	}
	s.count(p)
	zerolog.Ctx(ctx).Info().Int("servers", len(inv.Servers)).Int("volumes", len(inv.Volumes)).Int("protected", p.states["protected"]+p.states["late"]+p.states["waiting"]).
		Int("late", p.states["late"]).Int("planned", planned).Int("withdrawn", withdrawn).Bool("complete", inv.Complete()).Msg("planned")
	return b.Done(ctx, db.PlanBeat, p.beat)
}

func (s *Scheduler) count(p *planner) {
	for d, n := range p.decisions {
		s.Metrics.Decision(string(d.action), string(d.reason), n)
	}
	s.Metrics.SetVolumes(p.states)
	s.Metrics.SetPauses(len(p.paused))
}

// planner decides for one volume after the other and gathers what follows.
type planner struct {
	now, beat       time.Time
	settings        backup.Settings
	policy          backup.Policy
	memory          *memory
	paused          db.Pauses
	decided         map[string]bool
	records         []backup.Record
	withdrawIDs     []string
	withdrawReasons []backup.Reason
	decisions       map[decisionCode]int
	states          map[string]int // volumes by protection state
}

type decisionCode struct {
	action backup.Action
	reason backup.Reason
}

func newPlanner(now time.Time, set backup.Settings, m *memory) *planner {
	return &planner{
		now: now, beat: backup.Grid(now, set.BackupServicePeriod.Std()), settings: set, policy: set.Policy(), memory: m,
		decided: map[string]bool{}, decisions: map[decisionCode]int{},
		states: map[string]int{"protected": 0, "late": 0, "waiting": 0, "unprotected": 0, "unknown": 0, "gone": 0},
	}
}

func (p *planner) decide(v *db.Volume, records []backup.Record) {
	p.decided[v.ID] = true
	point := backup.NewestPoint(v.ProjectID, records)
	p.states[p.protection(v, point)]++
	if p.memory.unknown[v.ID] {
		return // neither wanted nor unwanted: the decision before stands
	}
	d := backup.Next(p.now, p.policy, v.Subject(p.paused), records)
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
		State: state, Kind: d.Kind, OutOfTurn: d.OutOfTurn, Retention: v.Retention.InForce,
		Beat: p.beat, LastPointAt: point, Reason: d.Reason,
	}
}

// late tells whether what should be young, a restore point or a protection without one, is past the RPO.
func (p *planner) late(since *time.Time) bool {
	return since != nil && since.Before(p.now.Add(-p.settings.Late()))
}

// protection names the volume's state for people.
func (p *planner) protection(v *db.Volume, point *time.Time) string {
	switch {
	case v.GoneAt != nil:
		return "gone"
	case v.Protected && p.late(cmp.Or(point, v.ProtectedSince)):
		return "late" // whatever the plan could see: nothing excuses it
	case p.memory.unknown[v.ID]:
		return "unknown"
	case !v.Protected:
		return "unprotected"
	case point == nil:
		return "waiting"
	}
	return "protected"
}
