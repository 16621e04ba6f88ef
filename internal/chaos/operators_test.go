package chaos

import (
	"context"
	"errors"

	"staffeln/backup"
	"staffeln/db"
)

// operatorStep executes one random operator command.
func (env *environment) operatorStep() {
	switch all := env.living(); {
	case len(all) > 0 && env.rng.IntN(3) > 0:
		env.backupNow(all[env.rng.IntN(len(all))])
	case env.broken("paused"):
	default:
		project := some(env, append(env.tenancy.projects, "")...)
		_, err := env.store.db.Pause(env.ctx, db.Pause{ProjectID: project, Who: "chaos", Why: "seed"})
		env.must(err)
		env.trace("operator: pause of %q", project)
		env.outages = append(env.outages, &outage{"paused", func() {
			_, err := env.store.db.Resume(env.ctx, project)
			env.must(err)
		}})
	}
}

// backupNow requests a backup within the interval, like the command backup-now.
func (env *environment) backupNow(v *volume) {
	err := env.store.db.Snapshot(env.ctx, func(l *db.Snapshot) error {
		known, err := l.Volume(env.ctx, v.id)
		if err != nil {
			return err
		}
		records, err := l.Decisive(env.ctx, v.id)
		if err != nil {
			return err
		}
		subject := known.Subject(nil)
		subject.Manual = true
		d := backup.Next(l.Now, env.set.Policy(), subject, records)
		if d.Action != backup.Create {
			return nil
		}
		id, err := env.store.db.PlanManual(env.ctx, backup.Record{
			ProjectID: known.ProjectID, VolumeID: known.ID, Zone: known.Zone, SizeGiB: known.SizeGiB, Encrypted: known.Encrypted,
			Retention: known.Retention.InForce, Manual: true, PlannedAt: backup.Grid(l.Now, env.set.BackupServicePeriod.Std()),
			Kind: d.Kind, ForcedFull: d.ForcedFull, Reason: d.Reason,
		})
		env.trace("operator: backup of volume %s now: record %s", v.id, id)
		return err
	})
	if err != nil && !errors.Is(err, db.ErrStale) && !errors.Is(err, context.Canceled) {
		env.trace("operator: %s", brief(err))
	}
}
