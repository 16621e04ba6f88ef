package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"staffeln/internal/config"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"staffeln/internal/telemetry"
	"staffeln/internal/visible"
	"staffeln/openstack"
	"staffeln/tasks"
)

// surroundings are what every process starts with.
type surroundings struct {
	log     zerolog.Logger
	metrics *telemetry.Metrics
	ready   *telemetry.Readiness
}

// about says of a subcommand what its help tells.
type about struct {
	name, does, example string
	cloud               bool // it also reads OS_*
}

// processCommand answers the subcommand of a process: it reads the configuration, refuses a wrong one with all its
// faults before anything has started, and runs; the context ends with the first signal and carries the log.
func processCommand[C interface{ LogConfig() telemetry.Config }](a about, cfg C, run func(context.Context, C, surroundings) error) *cobra.Command {
	return &cobra.Command{
		Use: a.name, Short: a.does, Example: "  " + a.example, Args: noArguments,
		Long: a.does + "\n\nIt reads these variables (docs/configuration.md says more):\n" + config.Listing(cfg, a.cloud),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := config.Load(os.Environ(), cfg)
			if a.cloud {
				_, faults := openstack.FromEnv(os.Getenv) // told with the others; the cloud is connected to later
				err = errors.Join(err, faults)
			}
			if err != nil {
				return usageError{fmt.Errorf("read configuration: nothing was started:\n%w", err)}
			}
			log := telemetry.New(cfg.LogConfig(), visible.JSON(cmd.ErrOrStderr()), strings.Fields(cmd.CommandPath())[1], version)
			tasks.LogRedis(log)
			s := surroundings{log: log, metrics: telemetry.NewMetrics(), ready: telemetry.NewReadiness(log)}
			log.Info().Msg("started")
			defer watchReadiness(cmd.Context(), s.ready)()
			err = run(log.WithContext(cmd.Context()), cfg, s)
			if err == nil || errors.Is(err, errStopped) {
				log.Info().Msg("ended")
				return nil
			}
			log.Error().Err(err).Msg("ended by an error")
			return loggedError{err}
		},
	}
}

// watchReadiness looks at it until the function that it returns is called.
func watchReadiness(ctx context.Context, ready *telemetry.Readiness) (stop func()) {
	if readinessPeriod == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() { ready.Watch(ctx, readinessPeriod) })
	return func() { cancel(); wait.Wait() }
}
