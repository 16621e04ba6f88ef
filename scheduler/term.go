package scheduler

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"staffeln/backup"
	"staffeln/db"
)

// compareAgain is the minimum time between a reconcile run and the one at the beginning of a term, so that leaders that change
// often do not list all backups each time.
const compareAgain = 10 * time.Minute

// comparedInTerm returns when records and Cinder were compared; nil means that they must be compared now. A new leader compares
// them at once: its database may be an older dump that was restored.
func comparedInTerm(b *db.Run) *time.Time {
	at := b.ReconciledAt
	if at != nil && at.Before(b.Since) && b.Now.Sub(*at) >= compareAgain {
		return nil
	}
	return at
}

// expose sets the metrics of the leader to what the database knows, at the beginning of a term. Without it they would be missing
// until the first runs succeed, and an alert on them would end. It sets no volumes before the first plan: nothing is known of
// them.
func (s *Scheduler) expose(ctx context.Context, term int64) {
	b, err := s.DB.BeginRun(ctx, term)
	if err == nil {
		s.exposeRuns(b.LastRuns)
		err = errors.Join(s.countFindings(ctx, b), s.countRecords(ctx, b), s.exposeVolumes(ctx, b))
	}
	if err != nil && ctx.Err() == nil {
		s.conditions.Met(zerolog.Ctx(ctx), zerolog.WarnLevel, "expose", "").Err(err).Msg("metrics of the new leader not read, the next runs set them")
		return
	}
	s.conditions.Over(zerolog.Ctx(ctx), "expose").Msg("metrics of the new leader read again")
}

func (s *Scheduler) exposeRuns(last db.LastRuns) {
	for run, at := range map[string]*time.Time{
		"plan": last.PlannedAt, "dispatch": last.DispatchedAt, "retention": last.RetentionAt, "reconcile": last.ReconciledAt, "report": last.ReportedAt,
	} {
		if at != nil {
			s.Metrics.SetRunSuccess(run, *at)
		}
	}
}

// exposeTerm sets the metrics of a leader that need nothing else: its term, and from which age on its runs are late.
func (s *Scheduler) exposeTerm(term int64) {
	s.Metrics.Leads(term)
	set := s.Settings
	for run, period := range map[string]backup.Duration{
		"plan": set.BackupServicePeriod, "dispatch": set.PollPeriod, "retention": set.RetentionServicePeriod, "reconcile": set.ReconcilePeriod,
	} {
		s.Metrics.SetRunLateAfter(run, backup.RunLateAfter(period))
	}
}

func (s *Scheduler) exposeVolumes(ctx context.Context, b *db.Run) error {
	if b.PlannedAt == nil {
		return nil
	}
	paused, err := b.Pauses(ctx)
	if err != nil {
		return err
	}
	s.Metrics.SetPauses(len(paused))
	counts, err := b.ProtectionCounts(ctx, s.Settings.RPO())
	if err != nil {
		return err
	}
	s.setVolumes(counts)
	return nil
}

// setVolumes sets the metric of the volumes by protection, also of protections that no volume has.
func (s *Scheduler) setVolumes(counts map[backup.Protection]int) {
	volumes := map[string]int{}
	for _, one := range backup.Protections {
		volumes[string(one)] = counts[one]
	}
	s.Metrics.SetVolumes(volumes)
}
