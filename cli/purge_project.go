package cli

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/internal/telemetry"
	"staffeln/internal/visible"
	"staffeln/openstack"
	"staffeln/view"
	"staffeln/worker"
)

// cloudConfig is the configuration of the commands that use the cloud itself.
type cloudConfig struct {
	config.Database
	config.Scheduler

	Openstack openstack.Config
}

func purgeProjectCommand() *cobra.Command {
	var project string
	var all bool
	c := &cobra.Command{
		Use: "purge-project", Short: "Removes the backups of a deleted project; without --project it lists the deleted projects that left backups.",
		Long: "Retention cannot remove these backups, because Keystone issues no token for a deleted project. This command checks with\n" +
			"Keystone that the project is deleted, lists what it would remove, asks, and removes it leaf first as the admin, each backup\n" +
			"only after Cinder confirmed that the one above it is gone and that nothing else depends on it. Without --all it removes only\n" +
			"backups whose retention is over, and leftovers of failed attempts; the newest restore points of a volume are kept while it is\n" +
			"protected and for STAFFELN_PROTECTION_GRACE after that. It never removes backups that this installation did not make. It can be\n" +
			"interrupted and started again at any time.",
		Example: "  staffeln purge-project\n  staffeln purge-project --project 3f1d… --all", Args: NoArguments,
	}
	c.Flags().StringVar(&project, "project", "", "project, by ID or name")
	c.Flags().BoolVar(&all, "all", false, "also remove backups whose retention or grace has not ended")
	c.Long = operatorHelp(c, "It works in the cloud itself, with the credentials of a worker.", config.Listing(new(cloudConfig), true))
	yes, who := operatorFlags(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg := new(cloudConfig)
		var credentials openstack.Credentials
		_, err := configure(cmd, cfg, func() (err error) { credentials, err = openstack.FromEnv(os.Getenv); return err })
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		database, err := db.Open(ctx, cfg.DatabaseURL, nil)
		if err != nil {
			return err
		}
		defer database.Close()
		cloud, err := openstack.Connect(ctx, credentials, cfg.Openstack)
		if err != nil {
			return err
		}
		o := newOperator(cmd, database, cfg.Settings, *who, *yes)
		if project == "" {
			return o.listOrphanedProjects(ctx, cloud)
		}
		p, err := o.project(ctx, project)
		if err != nil {
			return err
		}
		return o.purge(ctx, cloud, p, all)
	}
	return c
}

// listOrphanedProjects lists the deleted projects that left backups.
func (o *operator) listOrphanedProjects(ctx context.Context, cloud *openstack.Cloud) error {
	var left []db.OrphanedProject
	var findings []db.KeptFinding
	err := o.database.Snapshot(ctx, func(l *db.Snapshot) (err error) {
		if left, err = l.OrphanedProjects(ctx); err != nil {
			return err
		}
		findings, err = l.Findings(ctx)
		return err
	})
	if err != nil {
		return err
	}
	gone, err := cloud.Gone(ctx, view.Each(left, func(r db.OrphanedProject) string { return r.ID }))
	if err != nil {
		return err
	}
	for _, one := range left {
		if slices.Contains(gone, one.ID) {
			o.printf("%s is deleted and left %s, which Cinder charges as %d GiB. To list them:\n  staffeln purge-project --project %s",
				strings.Replace(one.String(), "project", "Project", 1), view.Plural(one.Backups, "backup", "backups"), one.GiB, one.ID)
		}
	}
	if len(gone) == 0 {
		o.printf("Nothing to purge: no deleted project left backups of ours.")
	}
	for _, f := range findings {
		if f.Reason == backup.ProjectGone && !slices.Contains(gone, f.Object) {
			o.printf("Project %s is deleted and left servers or volumes, but no backups: %s.", visible.Named(f.ProjectName, f.ProjectID), f.Detail)
		}
	}
	return nil
}

// purge lists what would be removed of one project, asks, and removes it.
func (o *operator) purge(ctx context.Context, cloud *openstack.Cloud, p db.Project, all bool) error {
	orphaned, err := cloud.OrphanedProject(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("purge %s: %w", p, err)
	}
	left, err := o.inspect(ctx, orphaned, p, all)
	if err != nil {
		return fmt.Errorf("purge %s: %w", p, err)
	}
	w := rendererFor(o.out)
	left.render(w)
	w.line("")
	_, _ = fmt.Fprint(o.out, w) // to a terminal
	if len(left.removed) == 0 {
		o.printf("Nothing is removed now. %s.", left.summary())
		if behind := left.leftBehind(); behind != "" {
			o.printf("%s", behind)
		}
		return nil
	}
	if err := o.refusePaused(ctx, p); err != nil {
		return err
	}
	backups := view.Plural(len(left.removed), "backup", "backups")
	if err := o.confirm(fmt.Sprintf("Remove %s of %s for good?", backups, p)); err != nil {
		return fmt.Errorf("purge %s: %w", p, err)
	}
	installation, err := o.database.Installation(ctx)
	if err != nil {
		return err
	}
	run := &purgeRun{operator: o, all: all, left: left, refused: map[string]bool{}, worker: &worker.Worker{
		DB: o.database, Cloud: orphaned, Settings: o.set, Metrics: telemetry.NewMetrics(),
		Identity: backup.Identity{Installation: installation, UserID: cloud.UserID()},
	}}
	action := o.actionIn(p, db.ActionPurgeProject, fmt.Sprintf("remove %s of %s", backups, p))
	return o.database.RecordOperatorAction(ctx, action, func() (string, error) { return run.run(ctx) })
}

// refusePaused returns an error while the project is paused, because no removal may begin then.
func (o *operator) refusePaused(ctx context.Context, p db.Project) error {
	return o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		paused, err := l.Pauses(ctx)
		if err != nil || paused.Of(p.ID) == nil {
			return err
		}
		of, err := view.ProjectOf(ctx, l, paused.Of(p.ID).ProjectID)
		if err != nil {
			return err
		}
		return fmt.Errorf("purge %s: nothing is removed during a pause: %s", p, view.PausedWords(*paused.Of(p.ID), of))
	})
}
