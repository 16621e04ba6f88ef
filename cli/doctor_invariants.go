package cli

import (
	"context"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/doctor"
	"staffeln/internal/invariants"
	"staffeln/openstack"
)

// recheckDelay is the time between the two comparisons: a backup may be a step ahead of its record.
const recheckDelay = 5 * time.Second

// checkInvariants compares Cinder's listing with the records twice, and keeps the violations found both times.
func checkInvariants(ctx context.Context, database *db.DB, cloud *openstack.Cloud, set backup.Settings, f *doctor.Facts) {
	installation, err := database.Installation(ctx)
	if err != nil {
		f.CompareFault = err.Error()
		return
	}
	me := backup.Identity{Installation: installation, UserID: cloud.UserID()}
	broken, err := checkOnce(ctx, database, cloud, me, set, f)
	if err == nil && len(broken) > 0 {
		var again []invariants.Violation
		select {
		case <-time.After(recheckDelay):
			again, err = checkOnce(ctx, database, cloud, me, set, f)
		case <-ctx.Done():
			err = ctx.Err()
		}
		broken = slices.DeleteFunc(broken, func(v invariants.Violation) bool {
			return !slices.ContainsFunc(again, func(w invariants.Violation) bool {
				return v.Invariant == w.Invariant && v.Volume == w.Volume && v.Backup == w.Backup && v.Record == w.Record
			})
		})
	}
	if err != nil {
		f.CompareFault = err.Error()
		return
	}
	f.Violations = broken
}

func checkOnce(ctx context.Context, database *db.DB, cloud *openstack.Cloud, me backup.Identity, set backup.Settings, f *doctor.Facts) ([]invariants.Violation, error) {
	var s invariants.Snapshot
	var err error
	if s.Listed, err = database.Now(ctx); err != nil {
		return nil, err
	}
	f.Cloud.OtherMakers = map[string]int{}
	err = cloud.AllBackups(ctx, func(page []backup.Backup) error {
		for _, b := range page {
			s.Backups = append(s.Backups, listed(b, me))
			if b.Tag().Installation == me.Installation && b.UserID != "" && b.UserID != me.UserID {
				f.Cloud.OtherMakers[b.UserID]++
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = database.Snapshot(ctx, func(l *db.Snapshot) error {
		s.Now = l.Now
		paused, err := l.Pauses(ctx)
		if err != nil {
			return err
		}
		return l.EachRecord(ctx, func(r backup.Record) { s.Records = append(s.Records, recorded(r, paused)) })
	})
	// A waiting record is checked every poll period. How long Cinder needs for a removal is not known.
	step := 2*set.PollPeriod.Std() + set.PostSettleTime.Std() + time.Hour
	s.Limits = invariants.Limits{Step: step, Removal: set.BackupCycleTimeout.Std() + step, Reconcile: 2 * set.ReconcilePeriod.Std(), Late: set.RPO().Of(0)}
	return invariants.CheckNow(s), err
}

// listed converts a backup of Cinder for the invariants. One without any tag may have been taken over from the Python program,
// whose user was another one.
func listed(b backup.Backup, me backup.Identity) invariants.Backup {
	tag := b.Tag()
	one := invariants.Backup{
		ID: b.ID, Volume: b.VolumeID, Project: b.ProjectID, Status: b.Status, Data: b.DataTimestamp, Kind: backup.Full,
		Ours:    me.Made(b),
		Foreign: tag.Installation != "" && (b.UserID != "" && b.UserID != me.UserID || tag.Installation != me.Installation),
	}
	if tag.Installation == me.Installation {
		one.Tag = tag.Record
	}
	if b.Incremental {
		one.Kind = backup.Incremental
	}
	return one
}

// recorded converts a record for the invariants.
func recorded(r backup.Record, paused db.Pauses) invariants.Record {
	at := func(times ...*time.Time) (newest time.Time) {
		for _, t := range times {
			if t != nil && t.After(newest) {
				newest = *t
			}
		}
		return newest
	}
	return invariants.Record{
		ID: r.ID, Project: r.ProjectID, Volume: r.VolumeID, Backup: r.BackupID, State: r.State, Kind: r.Kind,
		Reason: r.Reason, Removal: r.RemovalReason, Retention: r.Retention, Paused: paused.Of(r.ProjectID) != nil,
		Changed: r.ChangedAt, Admitted: at(r.AdmittedAt), Asked: at(r.RequestedAt, r.UnansweredRequestAt, r.DeletionRequestedAt),
		Deadline: at(r.Deadline), NextTry: at(r.NextTryAt),
	}
}
