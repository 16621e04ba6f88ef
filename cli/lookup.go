package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/openstack"
	"staffeln/view"
)

// unseenError is the error for a name of which no plan has seen a volume or a server.
type unseenError struct{ name string }

func (e unseenError) Error() string {
	return fmt.Sprintf("find %s: no plan has seen a volume or a server of that ID or name: `staffeln status --volumes` lists all", e.name)
}

// withLookup lets a command that finds nothing in the database look in the cloud.
func withLookup(c *cobra.Command) *cobra.Command {
	read := c.RunE
	c.RunE = func(cmd *cobra.Command, args []string) error {
		err := read(cmd, args)
		unseen, ok := errors.AsType[unseenError](err)
		if !ok {
			return err
		}
		p, err := lookUp(cmd.Context(), unseen)
		if err != nil {
			return err
		}
		asJSON, _ := cmd.Flags().GetBool("json") // the flag exists
		return writePage(cmd.OutOrStdout(), p, asJSON)
	}
	return c
}

// lookUp returns what the cloud has under a name, or an error that ends with what to do.
func lookUp(ctx context.Context, unseen unseenError) (p serverPage, err error) {
	cfg := new(cloudConfig)
	if err := config.Load(os.Environ(), cfg); err != nil {
		return p, UsageError{fmt.Errorf("configuration refused:\n%w", err)}
	}
	database, err := db.Open(ctx, cfg.DatabaseURL, nil)
	if err != nil {
		return p, err
	}
	defer database.Close()
	var at view.AsOf
	err = database.Snapshot(ctx, func(l *db.Snapshot) error {
		at, _, err = reader(cfg.Settings).Metadata(ctx, l)
		return err
	})
	if err != nil {
		return p, err
	}
	next := "the next plan " + view.ComesAt(at.NextPlanAt, at.At) + ", and `staffeln plan --now` runs one at once"
	if !cloudIsSet() {
		return p, fmt.Errorf("%w; %s. With OS_CLOUD or OS_AUTH_URL this command also looks in the cloud", unseen, next)
	}
	server, volumes, err := find(ctx, cfg.Openstack, unseen.name)
	switch {
	case err != nil:
		return p, fmt.Errorf("%w; %s; look up in the cloud: %w", unseen, next, err)
	case server == nil && len(volumes) == 0:
		return p, fmt.Errorf("%w; the cloud has none either", unseen)
	}
	err = database.Snapshot(ctx, func(l *db.Snapshot) error {
		p.ServerProtection, err = reader(cfg.Settings).ServerInCloud(ctx, l, server, volumes)
		return err
	})
	return p, err
}

// cloudIsSet reports whether the environment names a cloud.
func cloudIsSet() bool { return os.Getenv("OS_CLOUD") != "" || os.Getenv("OS_AUTH_URL") != "" }

// find looks a volume or a server up in the cloud. Of a volume it returns the server that it is attached to; nil: none.
func find(ctx context.Context, set openstack.Config, name string) (*backup.Server, []backup.Volume, error) {
	credentials, err := openstack.FromEnv(os.Getenv)
	if err != nil {
		return nil, nil, err
	}
	cloud, err := openstack.Connect(ctx, credentials, set)
	if err != nil {
		return nil, nil, err
	}
	f, err := cloud.FindVolumes(ctx, name)
	if err == nil && len(f.Volumes) == 0 {
		if f, err = cloud.FindServers(ctx, name); len(f.Servers) > 1 {
			return nil, nil, fmt.Errorf("%d servers have that name: use the ID", len(f.Servers))
		}
	} else if len(f.Volumes) > 1 {
		return nil, nil, fmt.Errorf("%d volumes have that name: use the ID", len(f.Volumes))
	}
	if err != nil || len(f.Servers) == 0 {
		return nil, f.Volumes, err
	}
	return &f.Servers[0], f.Volumes, nil
}

// notSeen returns the error of a command that needs what a plan saw: what the name means, and what to do.
func (o *operator) notSeen(ctx context.Context, name string, unknown error) error {
	var s *view.ServerProtection
	err := o.database.Snapshot(ctx, func(l *db.Snapshot) (err error) {
		s, err = reader(o.set).ServerOf(ctx, l, name)
		return err
	})
	if errors.Is(err, db.ErrUnknownServer) {
		var p serverPage
		if p, err = lookUp(ctx, unseenError{name}); err == nil {
			s = p.ServerProtection
		}
	}
	if err != nil {
		return fmt.Errorf("%w; %w", unknown, err)
	}
	what := "server " + s.Name()
	if s.ServerID == "" {
		what = "volume " + s.Volumes[0].Volume()
	}
	words := fmt.Sprintf("nothing was planned for %s (project %s): %s", what, s.Project(), s.Summary)
	return errors.New(strings.Join(append([]string{words}, s.Protect...), " To protect it: "))
}
