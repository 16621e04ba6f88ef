package cli

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

func confirmLostCommand() *cobra.Command {
	return operatorCommand(&cobra.Command{
		Use: "confirm-lost", Short: "Confirms that many missing restore points, secrets, servers or volumes are really gone.",
		Long: "Staffeln waits for this confirmation if more than ten restore points (or secrets of encrypted ones), and more than one in a\n" +
			"hundred, are missing at once; also if so many servers, volumes or attachments are missing that the protection of more than ten\n" +
			"volumes, and of more than one in ten, would end. A lost role or a restored database of the cloud has the same symptoms. Until\n" +
			"somebody runs this command, nothing is recorded as gone. Then the next reconcile run asks Cinder about each restore point by its ID, and\n" +
			"Barbican about each secret, and records as gone what they do not have; the next plans ask Nova and Cinder about each server and\n" +
			"volume. An object that is found again later is used again as before.",
		Example: "  staffeln confirm-lost\n  staffeln confirm-lost --yes", Args: NoArguments,
	}, func(ctx context.Context, o *operator, _ []string) error {
		findings, err := o.unconfirmed(ctx)
		if err != nil {
			return err
		}
		if len(findings) == 0 {
			return errors.New("confirm lost: nothing to confirm: neither the newest plan nor the newest reconcile run waits for a confirmation")
		}
		var objects, details []string
		for _, f := range findings {
			o.printf("Since %s UTC: %s", view.Clock(f.Since), f.Detail)
			objects, details = append(objects, f.Object), append(details, f.Detail)
		}
		if err := o.confirm("Are they gone for good?"); err != nil {
			return errors.New("confirm lost: not confirmed: nothing is written; type yes, or use --yes")
		}
		err = o.database.RecordOperatorAction(ctx, db.OperatorAction{
			Who: o.who, Action: db.ActionConfirmLost, Object: strings.Join(objects, " "), Intent: "confirm as lost: " + strings.Join(details, "; "),
		}, func() (string, error) { return "confirmed", o.database.ConfirmLost(ctx) })
		if err != nil {
			return err
		}
		o.printf("Confirmed. The next reconcile run (every %s) and the next plan (every %s) ask the cloud about each of them by its ID, and record as gone what it does not have.",
			backup.Span(o.set.ReconcilePeriod.Std()), backup.Span(o.set.BackupServicePeriod.Std()))
		return o.warnWithoutLeader(ctx)
	})
}

// unconfirmed returns the findings of the newest reconcile run and the newest plan about too many missing things.
func (o *operator) unconfirmed(ctx context.Context) (findings []db.KeptFinding, err error) {
	err = o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		all, err := l.Findings(ctx)
		for _, f := range all {
			if slices.Contains([]backup.Reason{backup.LossesUnconfirmed, backup.SecretsUnconfirmed, backup.AbsencesUnconfirmed}, f.Reason) {
				findings = append(findings, f)
			}
		}
		return err
	})
	return findings, err
}
