package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/internal/visible"
)

// oneTarget accepts exactly one argument.
func oneTarget(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return UsageError{fmt.Errorf("%s: name one VOLUME or SERVER, by ID or name; see %[2]s --help", cmd.Name(), cmd.CommandPath())}
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
		return nil, unknownTargetError{name}
	}
	return volumes, err
}

// unknownTargetError is the error for a name of which no plan has seen a volume, or a server with a protected volume.
type unknownTargetError struct{ name string }

func (e unknownTargetError) Error() string {
	return fmt.Sprintf("find %s: no volume has this ID or name, and no server with a protected volume: `staffeln status --volumes` lists all", e.name)
}

// Is reports whether the error means the same as target.
func (unknownTargetError) Is(target error) bool { return target == db.ErrUnknownVolume }

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

// nameOf returns a volume's name and ID with its server and project.
func nameOf(v db.Volume) string {
	words := "volume " + visible.Named(v.Name, v.ID)
	if v.ServerID != "" {
		words += " of server " + visible.Named(v.ServerName, v.ServerID)
	}
	return words + " in " + db.Project{ID: v.ProjectID, Name: v.ProjectName}.String()
}

// actionOn returns the audit line of an action on a volume.
func (o *operator) actionOn(v db.Volume, action, intent string) db.OperatorAction {
	return db.OperatorAction{Who: o.who, Action: action, Object: v.ID, ObjectName: v.Name, ProjectID: v.ProjectID, ProjectName: v.ProjectName, Intent: intent}
}

// actionIn returns the audit line of an action on a project.
func (o *operator) actionIn(p db.Project, action, intent string) db.OperatorAction {
	return db.OperatorAction{Who: o.who, Action: action, Object: p.ID, ObjectName: p.Name, ProjectID: p.ID, ProjectName: p.Name, Intent: intent}
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
