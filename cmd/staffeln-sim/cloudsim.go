package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/cli"
	"staffeln/internal/cloudsim"
	"staffeln/internal/config"
	"staffeln/internal/telemetry"
)

type simulation struct {
	listen, release            string
	projects, servers, volumes int
}

func cloudsimCommand() *cobra.Command {
	sim := new(simulation)
	const does = "Serves a simulated OpenStack and prints the OS_* variables that connect to it."
	c := &cobra.Command{
		Use: "cloudsim", Short: does, Long: does + " It reads no variables.",
		Example: "  staffeln-sim cloudsim --servers 10 >openrc & . ./openrc", Args: cli.NoArguments,
	}
	flags := c.Flags()
	flags.StringVar(&sim.listen, "listen", "127.0.0.1:5000", "address and port; port 0 takes a free one")
	flags.StringVar(&sim.release, "release", cloudsim.Zed, "release of OpenStack to simulate: "+strings.Join(cloudsim.Releases(), ", "))
	flags.IntVar(&sim.projects, "projects", 2, "number of projects")
	flags.IntVar(&sim.servers, "servers", 4, "number of servers in all projects; each asks for backups")
	flags.IntVar(&sim.volumes, "volumes", 2, "number of volumes of 1 GiB per server")
	c.PreRunE = func(*cobra.Command, []string) error {
		for name, n := range map[string]int{"projects": sim.projects, "servers": sim.servers, "volumes": sim.volumes} {
			if n < 1 {
				return cli.UsageError{Cause: fmt.Errorf("--%s: %d: want at least 1", name, n)}
			}
		}
		if !slices.Contains(cloudsim.Releases(), sim.release) {
			return cli.UsageError{Cause: fmt.Errorf("--release: %q: want one of %s", sim.release, strings.Join(cloudsim.Releases(), ", "))}
		}
		return nil
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error { return sim.run(cmd.Context(), cmd.OutOrStdout()) }
	return c
}

func (s *simulation) run(ctx context.Context, out io.Writer) error {
	key, err := metadataKey()
	if err != nil {
		return err
	}
	cloud := cloudsim.New(cloudsim.Options{Release: s.release})
	cloudsim.Seed(cloud, cloudsim.SeedOptions{
		Projects: s.projects, Servers: s.servers, VolumesPerServer: s.volumes, MetadataKey: key, Users: true,
	})
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return fmt.Errorf("listen for the simulated cloud: %w: choose another address with --listen", err)
	}
	for _, line := range openrc(listener.Addr().String(), cloud.Cast()) {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return fmt.Errorf("print the OS_* lines: %w", err)
		}
	}
	server := telemetry.NewHTTPServer(cloud)
	server.WriteTimeout = 0 // a requested fault may delay a response for long
	return telemetry.ServeHTTP(ctx, server, listener)
}

// metadataKey returns the default of the metadata key that asks for backups.
func metadataKey() (string, error) {
	var defaults backup.Settings
	err := config.Load(nil, &defaults)
	return defaults.BackupMetadataKey, err
}

// openrc returns the lines of an openrc for the service user of the simulated cloud.
func openrc(address string, cast cloudsim.Cast) []string {
	return []string{
		"export OS_AUTH_URL=http://" + address + "/identity/v3",
		"export OS_IDENTITY_API_VERSION=3",
		"export OS_USERNAME=staffeln",
		"export OS_PASSWORD=" + cast.Password,
		"export OS_USER_DOMAIN_NAME=Default",
		"export OS_PROJECT_NAME=admin",
		"export OS_PROJECT_DOMAIN_NAME=Default",
		"export OS_REGION_NAME=RegionOne",
	}
}
