package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/show"
	"staffeln/tasks"
)

func cancelCommand() *cobra.Command {
	return handCommand(&cobra.Command{
		Use: "cancel VOLUME|SERVER", Short: "Ends the backup in progress of a volume, or those of a server's volumes.",
		Long: "A planned one is withdrawn. One that Cinder is making can't be stopped there: its record ends as failed (cancelled), and what\n" +
			"becomes of it is removed as soon as Cinder lets go of it. A later plan makes another one; `staffeln pause` prevents that.",
		Example: "  staffeln cancel data\n  staffeln cancel web-1 --yes",
		Args:    oneTarget, ValidArgsFunction: cobra.NoFileCompletions,
	}, func(ctx context.Context, h *hand, args []string) error {
		volumes, err := h.targets(ctx, args[0])
		if err != nil {
			return err
		}
		cancelled := 0
		for _, v := range volumes {
			done, err := h.cancel(ctx, v)
			if err != nil {
				return err
			}
			if done {
				cancelled++
			}
		}
		if cancelled == 0 {
			return errors.New("nothing was cancelled, for the reason above")
		}
		return nil
	})
}

// cancel ends the backup in progress of one volume, after a question where something is removed.
func (h *hand) cancel(ctx context.Context, v db.Volume) (done bool, err error) {
	var held map[string][]backup.Record
	err = h.memory.Look(ctx, func(l *db.Look) error {
		held, err = l.Held(ctx, []string{v.ID})
		return err
	})
	if err != nil {
		return false, err
	}
	i := slices.IndexFunc(held[v.ID], func(r backup.Record) bool { return r.State.InProgress() })
	if i < 0 {
		h.say("Nothing to cancel: %s has no backup in progress.", told(v))
		return false, nil
	}
	r := held[v.ID][i]
	switch {
	case r.BackupID == "" && r.UnansweredRequestAt != nil:
		h.say("Not yet: Cinder was asked for the backup of %s at %s, and the answer is missing. Its effect is looked for; try again in a few minutes.", told(v), show.Clock(*r.UnansweredRequestAt))
		return false, nil
	case r.BackupID != "":
		h.say("Cinder has been making backup %s of %s since %s. It will be removed as soon as Cinder lets go of it.", r.BackupID, told(v), show.MaybeClock(r.RequestedAt))
		if err := h.confirm("Cancel it?"); err != nil {
			return false, fmt.Errorf("cancel the backup of %s: %w", told(v), err)
		}
	}
	err = h.memory.Intervene(ctx, db.Intervention{
		Who: h.who, Action: db.ActCancel, Object: v.ID, ProjectID: r.ProjectID, Intent: fmt.Sprintf("end of the %s backup of %s, whose record %s is %s", r.Kind, told(v), r.ID, r.State),
	}, func() (string, error) {
		state, err := h.end(ctx, r)
		return fmt.Sprintf("the record is %s now (%s)", state, backup.Cancelled), err
	})
	if err != nil {
		return false, err
	}
	h.say("Cancelled: the %s backup of %s.", r.Kind, told(v))
	return true, nil
}

// end ends r as it is now, in a lease like any handler's.
func (h *hand) end(ctx context.Context, r backup.Record) (backup.State, error) {
	c, err := h.lease(ctx, r.VolumeID)
	if err != nil {
		return "", err
	}
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = c.Release(last) // it runs out by itself
	}()
	now, err := c.Records(ctx)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(now, func(n backup.Record) bool { return sameStep(n, r) }) {
		return "", movedOn(r)
	}
	why := db.Why{Reason: backup.Cancelled, Text: "by " + h.who}
	var after backup.Record
	if r.State == backup.Planned {
		after, err = c.Withdraw(ctx, r, why)
	} else {
		after, err = c.Fail(ctx, r, why)
	}
	if errors.Is(err, db.ErrStale) {
		err = movedOn(r)
	}
	return after.State, err
}

// sameStep tells whether a record is where it was when the person was asked: between, a worker may have begun with it, and
// what Cinder is asked for must not end without its ID.
func sameStep(now, then backup.Record) bool {
	return now.ID == then.ID && now.State == then.State && now.BackupID == then.BackupID && (now.UnansweredRequestAt == nil) == (then.UnansweredRequestAt == nil)
}

func movedOn(r backup.Record) error {
	return fmt.Errorf("cancel the backup of volume %s: it moved on meanwhile: look at `staffeln explain`, and try again", r.VolumeID)
}

// patience is how long a volume is waited for that a worker is at work on: most handlers take seconds.
const patience = 20 * time.Second

// lease takes the lease of a volume.
func (h *hand) lease(ctx context.Context, volumeID string) (*db.Lease, error) {
	enough := time.NewTimer(patience)
	defer enough.Stop()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		asking, answered := context.WithTimeout(context.WithoutCancel(ctx), patience) // a lost answer would leave the lease behind
		c, err := h.memory.Lease(asking, volumeID, db.ActCancel, tasks.Lease)
		answered()
		if !errors.Is(err, db.ErrLeased) {
			return c, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-enough.C:
			return nil, fmt.Errorf("lease volume %s: a worker is at work on it: try again in %s", volumeID, backup.Span(tasks.Lease))
		}
	}
}
