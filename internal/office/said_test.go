package office

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
	"staffeln/internal/office/oracle"
)

// said is what `staffeln status` and `staffeln explain` tell of each volume: how it stands, and every reason with who
// must act.
func (o *office) said() map[string]oracle.Said {
	o.t.Helper()
	said := map[string]oracle.Said{}
	if o.databaseAway {
		return said
	}
	tell := func(volumeID, format string, args ...any) {
		s := said[volumeID]
		s.Words = append(s.Words, fmt.Sprintf(format, args...))
		said[volumeID] = s
	}
	require.NoError(o.t, o.db.Look(o.ctx, func(l *db.Look) error {
		standing, err := l.Standing(o.ctx, o.set.Late(), "", db.Standings...)
		if err != nil {
			return err
		}
		failures, err := l.Failures(o.ctx)
		if err != nil {
			return err
		}
		busy, err := l.Busy(o.ctx)
		if err != nil {
			return err
		}
		backlog, err := l.Backlog(o.ctx)
		if err != nil {
			return err
		}
		leader, err := l.Leader(o.ctx)
		if err != nil {
			return err
		}
		for _, s := range standing {
			said[s.ID] = oracle.Said{Standing: s.Standing}
			tell(s.ID, "stands %s", s.Standing)
			tell(s.ID, "decision %s %s", s.Reason, s.Reason.Whose())
			for _, b := range backlog {
				if b.ProjectID == s.ProjectID {
					tell(s.ID, "its project waits for a place")
				}
			}
			if leader.PlannedAt != nil && l.Now.Sub(*leader.PlannedAt) > 2*o.set.BackupServicePeriod.Std() {
				tell(s.ID, "the plan is old")
			}
			if leader.DispatchedAt != nil && l.Now.Sub(*leader.DispatchedAt) > 2*o.set.PollPeriod.Std() {
				tell(s.ID, "the dispatch run is old")
			}
		}
		for _, r := range failures {
			tell(r.VolumeID, "failure %s %s", r.Reason, r.Reason.Whose())
		}
		for _, r := range busy {
			why := r.Reason
			if r.State == backup.Deleting || r.State == backup.Undeletable {
				why = r.RemovalReason
			}
			tell(r.VolumeID, "%s %s %s", r.State, why, why.Whose())
		}
		return nil
	}))
	return said
}

// lawful asks the laws for the whole course up to now.
func (o *office) lawful() {
	o.t.Helper()
	us := evidence.Us{User: o.sim.Cast().Service, Installation: o.me.Installation}
	journal, gone := evidence.Journal(o.sim.Journal(), o.sim, us)
	var promises []invariants.Promise
	for _, p := range o.oracle.Promises() {
		promises = append(promises, invariants.Promise{Volume: p.Volume, Project: p.Project, From: p.From, To: p.To, Floor: p.Floor, Retention: backup.Period{Clock: p.Retention}})
	}
	now, records, err := evidence.Records(o.ctx, o.hand)
	require.NoError(o.t, err)
	set := o.set
	for _, v := range invariants.Check(invariants.Facts{
		Now: now, Journal: journal, Records: records, Gone: gone, Promises: promises, ShortenDelay: set.RetentionShortenDelay.Std(),
		Limits: invariants.Limits{Step: 3 * set.BackupServicePeriod.Std(), Removal: set.BackupCycleTimeout.Std() + 3*set.BackupServicePeriod.Std(), Sweep: 2 * set.SweepPeriod.Std()},
		Caps: invariants.Caps{
			Total: set.MaxBackupsInProgress, PerProject: set.MaxBackupsInProgressPerProject, PerZone: set.MaxBackupsInProgressPerZone, Stuck: set.MaxBackupsStuck,
		},
	}) {
		if key := string(v.Law) + v.Volume + v.Backup + v.Record; !o.broken[key] {
			o.broken[key] = true
			o.t.Errorf("%s: %s", o.now.Format("01-02 15:04"), o.named(v.String()))
		}
	}
}
