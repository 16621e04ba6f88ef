package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

func backupNowCommand() *cobra.Command {
	var full bool
	c := &cobra.Command{
		Use: "backup-now VOLUME|SERVER", Short: "Plans a backup of a protected volume, or of all volumes of a server, without waiting for the interval.",
		Long: "It decides like a plan between full and incremental, but ignores the interval and the delay after a failure.\n" +
			"The backup is the first of its project to begin, under the same caps, at the next dispatch run; the next interval counts from it.\n" +
			"With --full it is a full and begins a new chain, for example after a chain whose data cannot be trusted.",
		Example: "  staffeln backup-now data\n  staffeln backup-now web-1 --full && staffeln status",
		Args:    oneTarget, ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().BoolVar(&full, "full", false, "make a full backup")
	return operatorCommand(c, func(ctx context.Context, o *operator, args []string) error {
		planned, err := o.forEachTarget(ctx, args[0], func(v db.Volume) (bool, error) { return o.backupNow(ctx, v, full) })
		if errors.Is(err, db.ErrUnknownVolume) {
			return o.notSeen(ctx, args[0], err)
		}
		if err != nil {
			return err
		}
		if planned == 0 {
			return errors.New("nothing was planned, for the reason above")
		}
		return o.warnWithoutLeader(ctx)
	})
}

// backupNow decides about one volume, and plans its backup.
func (o *operator) backupNow(ctx context.Context, v db.Volume, full bool) (planned bool, err error) {
	r, d, err := o.decideNow(ctx, v, full)
	if err != nil {
		return false, err
	}
	if d.Action != backup.Create {
		o.printf("Nothing for %s: %s (%s)", nameOf(v), reasonWithStatus(d.Reason, v), d.Reason)
		return false, nil
	}
	err = o.database.RecordOperatorAction(ctx, o.actionOn(v, db.ActionBackupNow, fmt.Sprintf("make a backup (%s) of %s", d.Kind, nameOf(v))), func() (string, error) {
		id, err := o.database.PlanManual(ctx, r)
		return "planned record " + id, err
	})
	if errors.Is(err, db.ErrStale) {
		o.printf("Nothing for %s: %s (%s)", nameOf(v), backup.BackupInProgress.Sentence(), backup.BackupInProgress)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	o.printf("Planned for %s: %s backup. %s It begins within %s, unless the limit on running backups is reached.", nameOf(v), withArticle(d.Kind), d.Reason.Sentence(), backup.Span(o.set.PollPeriod.Std()))
	return true, nil
}

// decideNow returns the decision about one volume, and the record to plan.
func (o *operator) decideNow(ctx context.Context, v db.Volume, full bool) (r backup.Record, d backup.Decision, err error) {
	r = backup.Record{
		ProjectID: v.ProjectID, ProjectName: v.ProjectName, ServerID: v.ServerID, ServerName: v.ServerName, VolumeID: v.ID, VolumeName: v.Name,
		Zone: v.Zone, SizeGiB: v.SizeGiB, Encrypted: v.Encrypted, Retention: v.Retention.InForce, Manual: true,
	}
	err = o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		records, err := l.Decisive(ctx, v.ID)
		if err != nil {
			return err
		}
		paused, err := l.Pauses(ctx)
		if err != nil {
			return err
		}
		subject := v.Subject(paused)
		subject.Manual = true
		if subject.Status == "backing-up" {
			subject.Status = "in-use" // a plan saw it during a backup; the worker checks again
		}
		d = backup.Next(l.Now, o.set.Policy(), subject, records)
		if full && d.Action == backup.Create && d.Kind != backup.Full {
			d.Kind, d.Reason, d.ForcedFull = backup.Full, backup.FullAsked, true
		}
		r.PlannedAt, r.Kind, r.ForcedFull, r.Reason, r.LastPointAt = backup.Grid(l.Now, o.set.BackupServicePeriod.Std()), d.Kind, d.ForcedFull, d.Reason, backup.NewestPoint(v.ProjectID, records)
		return nil
	})
	return r, d, err
}

func withArticle(k backup.Kind) string {
	if k == backup.Incremental {
		return "an incremental"
	}
	return "a full"
}

// reasonWithStatus returns the sentence of a reason, with the volume's status if the reason is about it.
func reasonWithStatus(r backup.Reason, v db.Volume) string {
	if r.OfStatus() || r == backup.VolumeChanging {
		return fmt.Sprintf("%s It was %q at %s.", r.Sentence(), v.Status, view.Clock(v.SeenAt))
	}
	return r.Sentence()
}
