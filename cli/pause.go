package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/view"
)

func pauseCommand() *cobra.Command {
	var project, why string
	c := &cobra.Command{
		Use: "pause", Short: "Stops new backups and removals, in one project or in all. What is in progress is followed to its end.",
		Long: "For maintenance of Cinder or of its backup store. It lasts until `staffeln resume`; volumes that become late meanwhile are\n" +
			"reported as late. It applies as soon as this command returns; Cinder carries out requests that were sent before.",
		Example: "  staffeln pause --why 'upgrade of Cinder until noon'\n  staffeln pause --project acme", Args: NoArguments,
	}
	c.Flags().StringVar(&project, "project", "", "project, by ID or name; default: all")
	c.Flags().StringVar(&why, "why", "", "reason (`TEXT`), shown in the status until the pause ends")
	return operatorCommand(c, func(ctx context.Context, o *operator, _ []string) error {
		p, err := o.project(ctx, project)
		if err != nil {
			return err
		}
		begun := false
		err = o.database.RecordOperatorAction(ctx, o.actionIn(p, db.ActionPause, "pause "+p.String()+view.Because(why)), func() (string, error) {
			begun, err = o.database.Pause(ctx, db.Pause{ProjectID: p.ID, Who: o.who, Why: why})
			return "paused", err
		})
		if err != nil {
			return err
		}
		if !begun {
			o.printf("There already is a pause of %s; it continues:", p)
		}
		return o.printPauses(ctx)
	})
}

func resumeCommand() *cobra.Command {
	var project string
	c := &cobra.Command{
		Use: "resume", Short: "Ends a pause: of one project, or of all.",
		Long:    "What became due meanwhile begins under the caps, the oldest restore points first. Ending the pause of all projects does not\nend the pauses of single projects; the command lists them.",
		Example: "  staffeln resume\n  staffeln resume --project acme", Args: NoArguments,
	}
	c.Flags().StringVar(&project, "project", "", "project, by ID or name; default: the pause of all")
	return operatorCommand(c, func(ctx context.Context, o *operator, _ []string) error {
		p, err := o.project(ctx, project)
		if err != nil {
			return err
		}
		ended := false
		err = o.database.RecordOperatorAction(ctx, o.actionIn(p, db.ActionResume, "resume "+p.String()),
			func() (string, error) {
				ended, err = o.database.Resume(ctx, p.ID)
				return map[bool]string{true: "resumed", false: "was not paused"}[ended], err
			})
		if err != nil {
			return err
		}
		if ended {
			o.printf("Resumed: %s. What is due begins at the next dispatch run, unless another pause applies.", p)
		} else {
			o.printf("Nothing to resume: there is no pause of %s.", p)
		}
		return o.printPauses(ctx)
	})
}

// printPauses prints what is paused, and how much is still in progress there.
func (o *operator) printPauses(ctx context.Context) error {
	return o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		paused, err := l.Pauses(ctx)
		if err != nil {
			return err
		}
		inProgress, err := l.InProgress(ctx)
		if err != nil {
			return err
		}
		running := 0
		for _, r := range inProgress {
			if paused.Of(r.ProjectID) != nil && r.RequestedAt != nil {
				running++
			}
		}
		for _, p := range paused {
			of, err := view.ProjectOf(ctx, l, p.ProjectID)
			if err != nil {
				return err
			}
			o.printf("%s", onOwnLine(view.PausedWords(p, of)))
		}
		if running > 0 {
			o.printf("%s in progress there, and will be followed to the end.", view.Plural(running, "backup or removal is", "backups and removals are"))
		}
		return nil
	})
}

// onOwnLine puts a command that names a project on its own line, for copying.
func onOwnLine(words string) string {
	return strings.Replace(words, " `staffeln resume --project", "\n`staffeln resume --project", 1)
}
