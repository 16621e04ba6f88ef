package scheduler

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"staffeln/backup"
	"staffeln/db"
)

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
	if err := b.StoreVolumes(ctx, changed, m.ends); err != nil {
		return err
	}
	if _, err := b.Notify(ctx, s.Settings.ReportPeriod.Std()); err != nil {
		return err
	}
	if err := b.ForgetProtectionEnds(ctx); err != nil {
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
	var exist []string
	for id, gone := range p.projectGone {
		if !gone {
			exist = append(exist, id)
		}
	}
	if err := b.EndGoneProjects(ctx, exist); err != nil {
		return err
	}
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
	b.Outcome = fmt.Sprintf("servers seen: %d, volumes: %d, to be backed up: %d, late: %d; backups planned: %d, withdrawn: %d",
		len(seen.inv.Servers), len(seen.inv.Volumes), p.wanted, p.protections[backup.Late], planned, withdrawn)
	if !seen.inv.Complete() {
		b.Outcome += "; the cloud was not seen completely: " + strings.Join(seen.inv.Unseen, "; ")
	}
	s.routine.line(ctx, "plan", b.Now, planned+withdrawn > 0, len(seen.inv.Servers), len(seen.inv.Volumes), p.wanted, p.protections[backup.Late], p.unknown, seen.inv.Complete()).
		Int("servers", len(seen.inv.Servers)).Int("volumes", len(seen.inv.Volumes)).Int("wanted", p.wanted).
		Int("late", p.protections[backup.Late]).Int("planned", planned).Int("withdrawn", withdrawn).Int("unknown", p.unknown).
		Int("changed", len(changed)).Bool("complete", seen.inv.Complete()).Msg("plan finished")
	return nil
}

func (s *Scheduler) count(p *planner) {
	for d, n := range p.decisions {
		s.Metrics.Decision(string(d.action), string(d.reason), n)
	}
	s.setVolumes(p.protections)
	s.Metrics.SetPauses(len(p.paused))
}
