package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/visible"
	"staffeln/tasks"
	"staffeln/view"
)

func cancelCommand() *cobra.Command {
	return operatorCommand(&cobra.Command{
		Use: "cancel VOLUME|SERVER", Short: "Cancels the backup in progress of a volume, or those of a server's volumes.",
		Long: "A planned backup is withdrawn. Cinder cannot stop a backup that it is making: the record fails (cancelled), and the backup\n" +
			"is removed as soon as Cinder allows it. A later plan makes another one; `staffeln pause` prevents that.",
		Example: "  staffeln cancel data\n  staffeln cancel web-1 --yes",
		Args:    oneTarget, ValidArgsFunction: cobra.NoFileCompletions,
	}, func(ctx context.Context, o *operator, args []string) error {
		cancelled, err := o.forEachTarget(ctx, args[0], func(v db.Volume) (bool, error) { return o.cancel(ctx, v) })
		if err == nil && cancelled == 0 {
			return errors.New("nothing was cancelled, for the reason above")
		}
		return err
	})
}

// cancel cancels the backup in progress of one volume. It asks first if something will be removed.
func (o *operator) cancel(ctx context.Context, v db.Volume) (done bool, err error) {
	var held map[string][]backup.Record
	err = o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		held, err = l.Held(ctx, []string{v.ID})
		return err
	})
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(held[v.ID], func(r backup.Record) bool { return r.State.InProgress() })
	if i < 0 {
		o.printf("Nothing to cancel: %s has no backup in progress.", nameOf(v))
		return false, nil
	}
	r := held[v.ID][i]
	switch {
	case r.BackupID == "" && r.UnansweredRequestAt != nil:
		o.printf("Not yet: Cinder was asked for the backup of %s at %s, and its response is missing. Staffeln searches for the backup; try again in a few minutes.", nameOf(v), view.Clock(*r.UnansweredRequestAt))
		return false, nil
	case r.BackupID != "":
		o.printf("Cinder has been making backup %s of %s since %s. It will be removed as soon as Cinder allows it.", visible.Named(r.BackupName, r.BackupID), nameOf(v), view.MaybeClock(r.RequestedAt))
		if err := o.confirm("Cancel it?"); err != nil {
			return false, fmt.Errorf("cancel the backup of %s: %w", nameOf(v), err)
		}
	}
	action := o.actionOn(v, db.ActionCancel, fmt.Sprintf("cancel the %s backup of %s, whose record %s is %s", r.Kind, nameOf(v), r.ID, r.State))
	action.ProjectID, action.ProjectName = r.ProjectID, r.ProjectName // the volume may belong to another project by now
	err = o.database.RecordOperatorAction(ctx, action, func() (string, error) {
		state, err := o.end(ctx, r)
		return fmt.Sprintf("the record is %s now (%s)", state, backup.Cancelled), err
	})
	if err != nil {
		return false, err
	}
	o.printf("Cancelled: the %s backup of %s.", r.Kind, nameOf(v))
	return true, nil
}

// end ends a record under a lease, like a handler.
func (o *operator) end(ctx context.Context, r backup.Record) (backup.State, error) {
	c, err := o.lease(ctx, r)
	if err != nil {
		return "", err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = c.Release(last) // otherwise it expires
	}()
	now, err := c.Records(ctx)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(now, func(n backup.Record) bool { return unchanged(n, r) }) {
		return "", changedError(r)
	}
	why := db.Why{Reason: backup.Cancelled, Text: "by " + o.who}
	var after backup.Record
	if r.State == backup.Planned {
		after, err = c.Withdraw(ctx, r, why)
	} else {
		after, err = c.Fail(ctx, r, why)
	}
	if errors.Is(err, db.ErrStale) {
		err = changedError(r)
	}
	return after.State, err
}

// unchanged reports whether a record is as it was when the person was asked. A worker may have asked Cinder since then, and
// such a record must not end without the backup's ID.
func unchanged(now, then backup.Record) bool {
	return now.ID == then.ID && now.State == then.State && now.BackupID == then.BackupID && (now.UnansweredRequestAt == nil) == (then.UnansweredRequestAt == nil)
}

func changedError(r backup.Record) error {
	return fmt.Errorf("cancel the backup of volume %s: its record has changed: check `staffeln explain` and try again", visible.Named(r.VolumeName, r.VolumeID))
}

// leaseTimeout is how long to wait for a volume whose lease a worker has. Most handlers take seconds.
const leaseTimeout = 20 * time.Second

// lease takes the lease of a record's volume.
func (o *operator) lease(ctx context.Context, r backup.Record) (*db.Lease, error) {
	timeout := time.NewTimer(leaseTimeout)
	defer timeout.Stop()
	retry := time.NewTicker(time.Second)
	defer retry.Stop()
	for {
		attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseTimeout) // a lost response would leave the lease behind
		c, err := o.database.Lease(attempt, r.VolumeID, db.ActionCancel, tasks.LeaseTime)
		cancel()
		if !errors.Is(err, db.ErrLeased) {
			return c, err
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-timeout.C:
			return nil, fmt.Errorf("lease volume %s: a worker has its lease: try again in %s", visible.Named(r.VolumeName, r.VolumeID), backup.Span(tasks.LeaseTime))
		}
	}
}
