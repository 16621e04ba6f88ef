package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"staffeln/internal/config"

	"github.com/spf13/cobra"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/telemetry"
)

type cloudsimConfig struct{ config.Logging }

type simulation struct {
	listen, release            string
	projects, servers, volumes int
}

func cloudsimCommand() *cobra.Command {
	sim := new(simulation)
	var c *cobra.Command
	c = processCommand(about{
		name: "cloudsim", does: "Runs a simulated OpenStack for demonstrations and tests, and prints the OS_* lines that lead to it.",
		example: "staffeln cloudsim --servers 10 >openrc & . ./openrc",
	}, new(cloudsimConfig), func(ctx context.Context, _ *cloudsimConfig, _ surroundings) error {
		return sim.run(ctx, c.OutOrStdout())
	})
	flags := c.Flags()
	flags.StringVar(&sim.listen, "listen", "127.0.0.1:5000", "address and port; port 0 takes a free one")
	flags.StringVar(&sim.release, "release", cloudsim.Zed, "which release of OpenStack it is: "+strings.Join(cloudsim.Releases(), ", "))
	flags.IntVar(&sim.projects, "projects", 2, "how many projects")
	flags.IntVar(&sim.servers, "servers", 4, "how many servers in all, each of which asks for backups")
	flags.IntVar(&sim.volumes, "volumes", 2, "how many volumes of 1 GiB each server has")
	c.PreRunE = func(*cobra.Command, []string) error {
		for name, n := range map[string]int{"projects": sim.projects, "servers": sim.servers, "volumes": sim.volumes} {
			if n < 1 {
				return usageError{fmt.Errorf("--%s: %d: want at least 1", name, n)}
			}
		}
		if !slices.Contains(cloudsim.Releases(), sim.release) {
			return usageError{fmt.Errorf("--release: %q: want one of %s", sim.release, strings.Join(cloudsim.Releases(), ", "))}
		}
		return nil
	}
	return c
}

func (s *simulation) run(ctx context.Context, out io.Writer) error {
	var defaults backup.Settings
	if err := config.Load(nil, &defaults); err != nil { // the key that Staffeln looks for where nobody sets another
		return err
	}
	cloud := cloudsim.New(cloudsim.Options{Release: s.release})
	cloudsim.Seed(cloud, cloudsim.SeedOptions{
		Projects: s.projects, Servers: s.servers, VolumesPerServer: s.volumes, MetadataKey: defaults.BackupMetadataKey, Users: true,
	})
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return listened(fmt.Errorf("listen for the simulated cloud: %w", err), "--listen")
	}
	for _, line := range openrc(listener.Addr().String(), cloud.Cast()) {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return fmt.Errorf("print the OS_* lines: %w", err)
		}
	}
	server := telemetry.NewHTTPServer(cloud)
	server.WriteTimeout = 0 // a fault on demand may hold an answer back for long
	return telemetry.ServeHTTP(ctx, server, listener)
}

// openrc are lines for a shell: the service user of the simulated cloud.
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
