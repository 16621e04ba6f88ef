package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/view"
)

// oneTarget accepts exactly one argument.
func oneTarget(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return UsageError{fmt.Errorf("read arguments: %d: want one VOLUME or SERVER, by ID or name; see %s --help", len(args), cmd.CommandPath())}
	}
	return nil
}

// targets returns the volumes that an argument names: a volume, or all protected volumes of a server.
func (o *operator) targets(ctx context.Context, name string) (volumes []db.Volume, err error) {
	err = o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		volumes, err = l.Targets(ctx, name)
		return err
	})
	switch several := new(db.AmbiguousError); {
	case errors.As(err, several):
		return nil, fmt.Errorf("find %s: %w: use the ID; `staffeln status --volumes --json` lists them", name, err)
	case errors.Is(err, db.ErrUnknownVolume):
		return nil, fmt.Errorf("find %s: no volume has this ID or name, and no server with a protected volume: `staffeln status --volumes` lists all", name)
	}
	return volumes, err
}

// project finds a project of which a volume or backup is known. The empty name is all projects.
func (o *operator) project(ctx context.Context, name string) (p db.Project, err error) {
	if name == "" {
		return db.Project{}, nil
	}
	err = o.database.Snapshot(ctx, func(l *db.Snapshot) error {
		if p, err = l.Project(ctx, name); !errors.Is(err, db.ErrUnknownProject) {
			return err
		}
		unknown := err
		paused, err := l.Pauses(ctx)
		if slices.ContainsFunc(paused, func(one db.Pause) bool { return one.ProjectID == name }) {
			p = db.Project{ID: name} // its last record was forgotten, its pause was not
			return nil
		}
		return cmp.Or(err, unknown)
	})
	if several := new(db.AmbiguousError); errors.As(err, several) || errors.Is(err, db.ErrUnknownProject) {
		return p, UsageError{fmt.Errorf("read --project: %s: %w; use an ID that `staffeln backups --json` shows", name, err)}
	}
	return p, err
}

// nameOf returns a volume's name with its server and project.
func nameOf(v db.Volume) string {
	words := "volume " + view.Or(v.Name, v.ID)
	if v.ServerID != "" {
		words += " (server " + view.Or(v.ServerName, v.ServerID) + ", project " + view.Or(v.ProjectName, v.ProjectID) + ")"
	}
	return words
}

// forEachTarget calls do for each volume that an argument names, and returns for how many it did something.
func (o *operator) forEachTarget(ctx context.Context, name string, do func(db.Volume) (bool, error)) (done int, err error) {
	volumes, err := o.targets(ctx, name)
	if err != nil {
		return 0, err
	}
	for _, v := range volumes {
		did, err := do(v)
		if err != nil {
			return done, err
		}
		if did {
			done++
		}
	}
	return done, nil
}
