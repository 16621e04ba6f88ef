package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/show"
)

func backupNowCommand() *cobra.Command {
	var full bool
	c := &cobra.Command{
		Use: "backup-now VOLUME|SERVER", Short: "Plans a backup of a protected volume, or of all of a server's, outside the interval.",
		Long: "It is decided as in a plan, full or incremental, only that the interval and the delay after a failure do not count.\n" +
			"It goes first in its project, under the same caps, at the next dispatch run; the interval to the next one counts from it.\n" +
			"With --full it is a full, and a new chain begins, as after a chain whose data can't be trusted.",
		Example: "  staffeln backup-now data\n  staffeln backup-now web-1 --full && staffeln status",
		Args:    oneTarget, ValidArgsFunction: cobra.NoFileCompletions,
	}
	c.Flags().BoolVar(&full, "full", false, "make a full backup")
	return handCommand(c, func(ctx context.Context, h *hand, args []string) error {
		volumes, err := h.targets(ctx, args[0])
		if err != nil {
			return err
		}
		planned := 0
		for _, v := range volumes {
			done, err := h.backupNow(ctx, v, full)
			if err != nil {
				return err
			}
			if done {
				planned++
			}
		}
		if planned == 0 {
			return errors.New("nothing was planned, for the reason above")
		}
		return h.leaderless(ctx)
	})
}

// backupNow decides about one volume, and plans.
func (h *hand) backupNow(ctx context.Context, v db.Volume, full bool) (planned bool, err error) {
	var d backup.Decision
	r := backup.Record{
		ProjectID: v.ProjectID, ProjectName: v.ProjectName, ServerID: v.ServerID, ServerName: v.ServerName, VolumeID: v.ID, VolumeName: v.Name,
		Zone: v.Zone, SizeGiB: v.SizeGiB, Encrypted: v.Encrypted, Retention: v.Retention.InForce, Manual: true,
	}
	err = h.memory.Look(ctx, func(l *db.Look) error {
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
			subject.Status = "in-use" // as a plan saw it in the middle of a backup; the worker looks again
		}
		d = backup.Next(l.Now, h.set.Policy(), subject, records)
		if full && d.Action == backup.Create && d.Kind != backup.Full {
			d.Kind, d.Reason, d.ForcedFull = backup.Full, backup.FullAsked, true
		}
		r.PlannedAt, r.Kind, r.ForcedFull, r.Reason, r.LastPointAt = backup.Grid(l.Now, h.set.BackupServicePeriod.Std()), d.Kind, d.ForcedFull, d.Reason, backup.NewestPoint(v.ProjectID, records)
		return nil
	})
	if err != nil {
		return false, err
	}
	if d.Action != backup.Create {
		h.say("Nothing for %s: %s (%s)", told(v), statusWords(d.Reason, v), d.Reason)
		return false, nil
	}
	err = h.memory.Intervene(ctx, db.Intervention{
		Who: h.who, Action: db.ActBackupNow, Object: v.ID, ProjectID: v.ProjectID, Intent: fmt.Sprintf("a backup (%s) of %s", d.Kind, told(v)),
	}, func() (string, error) {
		id, err := h.memory.PlanByHand(ctx, r)
		return "planned record " + id, err
	})
	if errors.Is(err, db.ErrStale) {
		h.say("Nothing for %s: %s (%s)", told(v), backup.BackupInProgress.Sentence(), backup.BackupInProgress)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	h.say("Planned for %s: %s backup. %s It begins at the next dispatch run (every %s) when the caps leave a place.", told(v), article(d.Kind), d.Reason.Sentence(), backup.Span(h.set.PollPeriod.Std()))
	return true, nil
}

func article(k backup.Kind) string {
	if k == backup.Incremental {
		return "an incremental"
	}
	return "a full"
}

// statusWords is a reason for people, with Cinder's word where that is what it is about.
func statusWords(r backup.Reason, v db.Volume) string {
	if r == backup.VolumeStatus || r == backup.VolumeChanging {
		return fmt.Sprintf("%s It was %q at %s.", r.Sentence(), v.Status, show.Clock(v.SeenAt))
	}
	return r.Sentence()
}

// leaderless tells where nobody will carry out what was written.
func (h *hand) leaderless(ctx context.Context) error {
	return h.memory.Look(ctx, func(l *db.Look) error {
		head, _, err := reader(h.set).Head(ctx, l)
		for _, warning := range head.Warnings {
			h.say("WARNING: %s", warning)
		}
		return err
	})
}
