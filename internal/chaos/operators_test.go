package chaos

import (
	"context"
	"errors"

	"staffeln/backup"
	"staffeln/db"
)

// operatorActs lets an operator do one thing by hand.
func (w *world) operatorActs() {
	switch all := w.living(); {
	case len(all) > 0 && w.rng.IntN(3) > 0:
		w.backupNow(all[w.rng.IntN(len(all))])
	case w.broken("paused"):
	default:
		project := some(w, append(w.estate.projects, "")...)
		_, err := w.place.db.Pause(w.ctx, db.Pause{ProjectID: project, Who: "chaos", Why: "seed"})
		w.must(err)
		w.tell("operator: pause of %q", project)
		w.outages = append(w.outages, &outage{"paused", func() {
			_, err := w.place.db.Resume(w.ctx, project)
			w.must(err)
		}})
	}
}

// backupNow asks for a backup outside the interval, as the command of that name does.
func (w *world) backupNow(v *volume) {
	err := w.place.db.Look(w.ctx, func(l *db.Look) error {
		known, err := l.Volume(w.ctx, v.id)
		if err != nil {
			return err
		}
		records, err := l.Decisive(w.ctx, v.id)
		if err != nil {
			return err
		}
		subject := known.Subject(nil)
		subject.Manual = true
		d := backup.Next(l.Now, w.set.Policy(), subject, records)
		if d.Action != backup.Create {
			return nil
		}
		id, err := w.place.db.PlanByHand(w.ctx, backup.Record{
			ProjectID: known.ProjectID, VolumeID: known.ID, Zone: known.Zone, SizeGiB: known.SizeGiB, Encrypted: known.Encrypted,
			Retention: known.Retention.InForce, Manual: true, PlannedAt: backup.Grid(l.Now, w.set.BackupServicePeriod.Std()),
			Kind: d.Kind, ForcedFull: d.ForcedFull, Reason: d.Reason,
		})
		w.tell("operator: backup of volume %s now: record %s", v.id, id)
		return err
	})
	if err != nil && !errors.Is(err, db.ErrStale) && !errors.Is(err, context.Canceled) {
		w.tell("operator: %s", brief(err))
	}
}
