package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/telemetry"
	"staffeln/openstack"
	"staffeln/view"
	"staffeln/worker"
)

// settleConfig is what settle reads beyond the others: it works in the cloud itself.
type settleConfig struct {
	Database
	Scheduler

	Openstack openstack.Config
}

func settleCommand() *cobra.Command {
	var project string
	var all bool
	c := &cobra.Command{
		Use: "settle", Short: "Removes the backups of a project that is gone; without --project it lists the projects that left some.",
		Long: "No token of such a project can be had any more, so retention can't reach its backups. This command asks Keystone whether the\n" +
			"project is really gone, shows what would go, asks, and removes leaf first as the admin, each link only after Cinder answered\n" +
			"that the one above it is gone and that nothing else builds on it. Without --all only what its retention is over for, and what\n" +
			"failed attempts left; the newest restore points of a volume stay while it is protected and for STAFFELN_PROTECTION_GRACE after that.\n" +
			"Backups that this installation did not make stay. It may be ended and begun again at any time.",
		Example: "  staffeln settle\n  staffeln settle --project 3f1d… --all", Args: noArguments,
	}
	c.Flags().StringVar(&project, "project", "", "the project, by ID or name")
	c.Flags().BoolVar(&all, "all", false, "remove also what is within its retention or the grace")
	c.Long = handLong(c, "It works on the cloud itself, with the credentials of a worker.", listing(new(settleConfig), true))
	yes, who := handFlags(c)
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		config := new(settleConfig)
		credentials, faults := openstack.FromEnv(os.Getenv)
		if err := errors.Join(load(os.Environ(), config), faults); err != nil {
			return usageError{fmt.Errorf("read configuration: nothing was started:\n%w", err)}
		}
		ctx := cmd.Context()
		memory, err := db.Open(ctx, config.DatabaseURL, nil)
		if err != nil {
			return err
		}
		defer memory.Close()
		cloud, err := openstack.Connect(ctx, credentials, config.Openstack)
		if err != nil {
			return err
		}
		h := newHand(cmd, memory, config.Settings, *who, *yes)
		if project == "" {
			return h.remnants(ctx, cloud)
		}
		p, err := h.project(ctx, project)
		if err != nil {
			return err
		}
		return h.settle(ctx, cloud, p, all)
	}
	return c
}

// remnants lists the projects that are gone and left backups.
func (h *hand) remnants(ctx context.Context, cloud *openstack.Cloud) error {
	var left []db.Remnant
	err := h.memory.Look(ctx, func(l *db.Look) (err error) {
		left, err = l.Remnants(ctx)
		return err
	})
	if err != nil {
		return err
	}
	gone, err := cloud.Gone(ctx, view.Each(left, func(r db.Remnant) string { return r.ID }))
	if err != nil {
		return err
	}
	for _, one := range left {
		if slices.Contains(gone, one.ID) {
			h.say("%s is gone and left %s, which Cinder charges as %d GiB. This shows which:\n  staffeln settle --project %s",
				capital(one.String()), view.Plural(one.Backups, "backup", "backups"), one.GiB, one.ID)
		}
	}
	if len(gone) == 0 {
		h.say("Nothing to settle: no project is gone that left backups of ours.")
	}
	return nil
}

// settle shows what goes of one project, asks, and removes it.
func (h *hand) settle(ctx context.Context, cloud *openstack.Cloud, p db.Project, all bool) error {
	of, err := cloud.Estate(ctx, p.ID)
	if err != nil {
		return fmt.Errorf("settle %s: %w", p, err)
	}
	left, err := h.lookEstate(ctx, of, p, all)
	if err != nil {
		return fmt.Errorf("settle %s: %w", p, err)
	}
	s := sheetFor(h.out)
	left.draw(s)
	s.line("")
	_, _ = fmt.Fprint(h.out, s) // to a terminal
	if len(left.going) == 0 {
		h.say("Nothing goes now. %s.", left.rest())
		return nil
	}
	if err := h.unpaused(ctx, p); err != nil {
		return err
	}
	if err := h.confirm(fmt.Sprintf("Remove %s of %s for good?", view.Plural(len(left.going), "backup", "backups"), p)); err != nil {
		return fmt.Errorf("settle %s: %w", p, err)
	}
	identity, err := h.identity(ctx, cloud)
	if err != nil {
		return err
	}
	w := &worker.Worker{DB: h.memory, Cloud: of, Settings: h.set, Metrics: telemetry.NewMetrics(), Identity: identity}
	intent := fmt.Sprintf("removal of %s of %s", view.Plural(len(left.going), "backup", "backups"), p)
	return h.memory.Intervene(ctx, db.Intervention{Who: h.who, Action: db.ActSettle, Object: p.ID, ProjectID: p.ID, Intent: intent}, func() (string, error) {
		return (&removing{hand: h, worker: w, all: all, estate: left, refused: map[string]bool{}}).run(ctx)
	})
}

// unpaused refuses while a pause holds for the project: it lets no removal begin.
func (h *hand) unpaused(ctx context.Context, p db.Project) error {
	return h.memory.Look(ctx, func(l *db.Look) error {
		paused, err := l.Pauses(ctx)
		if err != nil || paused.Of(p.ID) == nil {
			return err
		}
		of, err := view.ProjectOf(ctx, l, paused.Of(p.ID).ProjectID)
		if err != nil {
			return err
		}
		return fmt.Errorf("settle %s: nothing is removed during a pause: %s", p, view.PausedWords(*paused.Of(p.ID), of))
	})
}

func (h *hand) identity(ctx context.Context, cloud *openstack.Cloud) (backup.Identity, error) {
	installation, err := h.memory.Installation(ctx)
	return backup.Identity{Installation: installation, UserID: cloud.UserID()}, err
}
