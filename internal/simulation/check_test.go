package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
)

// recordShown stores what `staffeln status` and `staffeln explain` show of each volume now: whether it is late, and every
// reason with its owner.
func (sim *simulation) recordShown() {
	sim.t.Helper()
	if sim.databaseAway {
		return
	}
	shown := map[string]*invariants.Shown{}
	order := slices.Clone(sim.expected.order)
	of := func(volumeID string) *invariants.Shown {
		if shown[volumeID] == nil {
			shown[volumeID] = &invariants.Shown{At: sim.now, Volume: volumeID}
		}
		return shown[volumeID]
	}
	reason := func(volumeID, format string, args ...any) {
		s := of(volumeID)
		s.Reasons = append(s.Reasons, fmt.Sprintf(format, args...))
	}
	require.NoError(sim.t, sim.db.Snapshot(sim.ctx, func(l *db.Snapshot) error {
		volumes, err := l.Protections(sim.ctx, sim.set.RPO(), db.Part{}, backup.Protections...)
		if err != nil {
			return err
		}
		failures, err := l.Failures(sim.ctx)
		if err != nil {
			return err
		}
		inProgress, err := l.InProgress(sim.ctx)
		if err != nil {
			return err
		}
		backlog, err := l.Backlog(sim.ctx)
		if err != nil {
			return err
		}
		leader, err := l.Leader(sim.ctx)
		if err != nil {
			return err
		}
		for _, v := range volumes {
			of(v.ID).Late, of(v.ID).LateAfter = v.Protection() == backup.Late, sim.set.RPO().Of(v.Usual)
			reason(v.ID, "decision %s %s", v.Reason, v.Reason.Whose())
			for _, b := range backlog {
				if b.ProjectID == v.ProjectID {
					reason(v.ID, "its project waits for a slot")
				}
			}
			if leader.PlannedAt != nil && l.Now.Sub(*leader.PlannedAt) > 2*sim.set.BackupServicePeriod.Std() {
				reason(v.ID, "the plan is old")
			}
			if leader.DispatchedAt != nil && l.Now.Sub(*leader.DispatchedAt) > 2*sim.set.PollPeriod.Std() {
				reason(v.ID, "the dispatch run is old")
			}
		}
		for _, r := range failures {
			reason(r.VolumeID, "failure %s %s", r.Reason, r.Reason.Whose())
		}
		for _, r := range inProgress {
			why := r.Reason
			if r.State == backup.Deleting || r.State == backup.Undeletable {
				why = r.RemovalReason
			}
			reason(r.VolumeID, "%s %s %s", r.State, why, why.Whose())
		}
		return nil
	}))
	for _, id := range order {
		sim.shown = append(sim.shown, *of(id))
	}
}

// check checks all invariants from the beginning until now, and reports new violations.
func (sim *simulation) check() {
	sim.t.Helper()
	us := evidence.Us{User: sim.cloud.Cast().Service, Installation: sim.identity.Installation}
	set := sim.set
	facts := invariants.Facts{
		ShortenDelay: set.RetentionShortenDelay.Std(), Shown: sim.shown,
		Limits: invariants.Limits{
			Step: 3 * set.BackupServicePeriod.Std(), Removal: set.BackupCycleTimeout.Std() + 3*set.BackupServicePeriod.Std(),
			Reconcile: 2 * set.ReconcilePeriod.Std(), Late: set.RPO().Of(0), Expired: 6 * time.Hour,
		},
		Caps:     evidence.Caps(set),
		Schedule: &invariants.Schedule{Interval: set.BackupMinInterval.Std(), Period: set.BackupServicePeriod.Std(), Depth: set.FullBackupDepth, Floor: set.MinRestorePoints},
	}
	events := sim.cloud.Journal()
	facts.Journal, facts.Gone = evidence.Journal(events, sim.cloud, us)
	require.Empty(sim.t, evidence.Alarms(events, facts.Gone))
	sim.expected.facts(&facts)
	var err error
	facts.Now, facts.Records, err = evidence.Records(sim.ctx, sim.conn)
	require.NoError(sim.t, err)
	for _, v := range invariants.Check(facts) {
		if key := string(v.Invariant) + v.Volume + v.Backup + v.Record; !sim.violated[key] {
			sim.violated[key] = true
			sim.t.Error(sim.named(v.String()))
		}
	}
}
