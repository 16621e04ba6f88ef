package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/show"
)

func acceptLossesCommand() *cobra.Command {
	return handCommand(&cobra.Command{
		Use: "accept-losses", Short: "Lets the next sweep believe that many restore points are gone from Cinder.",
		Long: "More than ten missing at once, and more than one in a hundred, are not believed: a lost role or a restored database of Cinder\n" +
			"looks the same, and nothing is recorded until somebody has looked. This command is that somebody's word. The next sweep asks\n" +
			"Cinder about each of them by its ID and records as lost those that it does not know; their volumes get a new full backup.\n" +
			"A backup that Cinder shows again later is a restore point again.",
		Example: "  staffeln accept-losses\n  staffeln accept-losses --yes", Args: noArguments,
	}, func(ctx context.Context, h *hand, _ []string) error {
		why, err := h.doubt(ctx)
		if err != nil {
			return err
		}
		if why == nil {
			return errors.New("accept losses: the newest sweep doubted none: there is nothing to accept")
		}
		h.say("Since %s UTC: %s", show.Clock(why.Since), why.Detail)
		if err := h.confirm("Are they gone for good?"); err != nil {
			return errors.New("accept losses: not confirmed: nothing is written; answer yes, or give --yes")
		}
		err = h.memory.Intervene(ctx, db.Intervention{
			Who: h.who, Action: db.ActAcceptLosses, Object: why.Object, Intent: "the losses that a sweep doubted: " + why.Detail,
		}, func() (string, error) { return "accepted", h.memory.AcceptLosses(ctx) })
		if err != nil {
			return err
		}
		h.say("Accepted. The next sweep (every %s) asks Cinder about each of them, and records those as lost that it does not know.", backup.Span(h.set.SweepPeriod.Std()))
		return h.leaderless(ctx)
	})
}

// doubt is what a sweep did not believe; nil where the newest believed all.
func (h *hand) doubt(ctx context.Context) (why *db.KeptFinding, err error) {
	err = h.memory.Look(ctx, func(l *db.Look) error {
		found, err := l.Findings(ctx)
		for _, f := range found {
			if f.Reason == backup.LossesNotBelieved {
				why = &f
			}
		}
		return err
	})
	return why, err
}
