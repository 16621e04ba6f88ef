package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

func acceptLossesCommand() *cobra.Command {
	return handCommand(&cobra.Command{
		Use: "accept-losses", Short: "Confirms that what is missing in such numbers (restore points, their secrets, servers, volumes) is really gone.",
		Long: "More than ten restore points (or secrets of encrypted ones) missing at once, and more than one in a hundred, are not believed; nor\n" +
			"are servers, volumes or detachments that would end the protection of more than ten volumes, and of more than one in ten: a lost\n" +
			"role or a restored database of the cloud looks the same, and nothing is concluded until somebody has looked. This command is\n" +
			"that somebody's word. The next sweep asks Cinder about each restore point by its ID, and Barbican about each secret, and records\n" +
			"as gone those that they do not know; the next plans ask Nova and Cinder about each server and volume. What is seen again later is\n" +
			"as it was.",
		Example: "  staffeln accept-losses\n  staffeln accept-losses --yes", Args: noArguments,
	}, func(ctx context.Context, h *hand, _ []string) error {
		doubts, err := h.doubts(ctx)
		if err != nil {
			return err
		}
		if len(doubts) == 0 {
			return errors.New("accept losses: nothing to confirm: neither the newest plan nor the newest sweep doubts anything")
		}
		var objects, details []string
		for _, why := range doubts {
			h.say("Since %s UTC: %s", view.Clock(why.Since), why.Detail)
			objects, details = append(objects, why.Object), append(details, why.Detail)
		}
		if err := h.confirm("Are they gone for good?"); err != nil {
			return errors.New("accept losses: not confirmed: nothing is written; answer yes, or give --yes")
		}
		err = h.memory.Intervene(ctx, db.Intervention{
			Who: h.who, Action: db.ActAcceptLosses, Object: strings.Join(objects, " "), Intent: "what was doubted: " + strings.Join(details, "; "),
		}, func() (string, error) { return "accepted", h.memory.AcceptLosses(ctx) })
		if err != nil {
			return err
		}
		h.say("Accepted. The next sweep (every %s) and the next plan (every %s) ask the cloud about each of them by its ID, and record as gone what it does not know.",
			backup.Span(h.set.SweepPeriod.Std()), backup.Span(h.set.BackupServicePeriod.Std()))
		return h.leaderless(ctx)
	})
}

// doubts are what the newest sweep and the newest plan did not believe.
func (h *hand) doubts(ctx context.Context) (doubts []db.KeptFinding, err error) {
	err = h.memory.Look(ctx, func(l *db.Look) error {
		found, err := l.Findings(ctx)
		for _, f := range found {
			if slices.Contains([]backup.Reason{backup.LossesNotBelieved, backup.SecretsNotBelieved, backup.AbsencesNotBelieved}, f.Reason) {
				doubts = append(doubts, f)
			}
		}
		return err
	})
	return doubts, err
}
