package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/view"
)

func planCommand() *cobra.Command {
	return runCommand(db.AskedPlan, &cobra.Command{
		Use: "plan --now", Short: "Runs a plan at once: reads the whole cloud, and decides for every volume.",
		Long: "For example after a server got its metadata. It decides as each plan does; `staffeln backup-now` ignores the interval.\n" +
			"Without --now it only shows when the newest plan was and when the next one comes.",
		Example: "  staffeln plan --now\n  staffeln plan --now --yes && staffeln status",
	})
}

func reconcileCommand() *cobra.Command {
	return runCommand(db.AskedReconcile, &cobra.Command{
		Use: "reconcile --now", Short: "Runs a reconcile run at once: compares all backups in Cinder with all records.",
		Long: "For example after the database was restored from a dump, or after `staffeln confirm-lost`.\n" +
			"Without --now it only shows when the newest reconcile run was and when the next one comes.",
		Example: "  staffeln reconcile --now\n  staffeln reconcile --now --timeout 1h",
	})
}

// resultInterval is the time between two looks for the result of a run.
const resultInterval = 200 * time.Millisecond

// runCommand completes a command that asks the leader for a run and waits for its result.
func runCommand(run string, c *cobra.Command) *cobra.Command {
	var now bool
	var timeout time.Duration
	c.Args, c.ValidArgsFunction = NoArguments, cobra.NoFileCompletions
	c.Long += "\nThe leading scheduler sees the request within seconds, and runs it when the run that it works on has ended. The command waits for\n" +
		"the result. After --timeout, or if it is killed, the request remains and the run comes anyway."
	c.Flags().BoolVar(&now, "now", false, "run it at once")
	c.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to wait for the result")
	return operatorCommand(c, func(ctx context.Context, o *operator, _ []string) error {
		leader, at, err := o.leader(ctx)
		if err != nil {
			return err
		}
		if !now {
			o.printf("%s", whenRuns(run, leader, at, o.set))
			return o.warnWithoutLeader(ctx)
		}
		if !leader.Leads {
			return fmt.Errorf("ask for a %s run: no scheduler leads: start one with `staffeln scheduler`; nothing was asked", run)
		}
		var r *db.RunResult
		err = o.database.RecordOperatorAction(ctx, db.OperatorAction{Who: o.who, Action: run, Intent: "a " + run + " run at once"}, func() (string, error) {
			asked, err := o.database.AskForRun(ctx, run)
			if err != nil {
				return "", err
			}
			o.printf("Asked for at %s UTC; scheduler %s leads.", view.Clock(asked), leader.Leader)
			if r, err = o.awaitRun(ctx, run, asked, timeout); err != nil {
				return "", err
			}
			return r.Outcome, resultError(run, r)
		})
		if err != nil {
			return err
		}
		o.printf("Ran from %s UTC, %s: %s.", view.Clock(r.BeganAt), backup.Span(r.EndedAt.Sub(r.BeganAt)), r.Outcome)
		return nil
	})
}

func resultError(run string, r *db.RunResult) error {
	if !r.Failed {
		return nil
	}
	return fmt.Errorf("%s run of %s UTC failed: %s; the next one comes at its time, or ask for one again", run, view.Clock(r.BeganAt), r.Outcome)
}

// leader returns the leading scheduler with its newest runs, and the database's time.
func (o *operator) leader(ctx context.Context) (leader db.Leader, at time.Time, err error) {
	err = o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		at = l.Now
		leader, err = l.Leader(ctx)
		return err
	})
	return leader, at, err
}

// awaitRun waits for the result of a run.
func (o *operator) awaitRun(ctx context.Context, run string, asked time.Time, timeout time.Duration) (*db.RunResult, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(resultInterval)
	defer ticker.Stop()
	for {
		r, err := o.database.RunResult(ctx, run, asked)
		if err != nil && ctx.Err() == nil || r != nil {
			return r, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the %s run: it has not ended within %s: the request remains, and the run comes anyway; the scheduler's log has its result", run, timeout)
		case <-ticker.C:
		}
	}
}

// whenRuns returns a sentence with the newest run and the next one.
func whenRuns(run string, leader db.Leader, at time.Time, set backup.Settings) string {
	last, period := leader.PlannedAt, set.BackupServicePeriod.Std()
	if run == db.AskedReconcile {
		last, period = leader.ReconciledAt, set.ReconcilePeriod.Std()
	}
	next := view.NextRun(at, last, period)
	return fmt.Sprintf("The newest %s run: %s. The next one %s. `staffeln %s --now` runs one at once.", run, view.MaybeClock(last), view.ComesAt(next, at), run)
}
