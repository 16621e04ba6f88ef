package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"staffeln/cli"
	"staffeln/internal/config"
	"staffeln/internal/crashpoint"
	"staffeln/internal/telemetry"
	"staffeln/internal/visible"
	"staffeln/openstack"
	"staffeln/tasks"
)

// dependencies are what every process gets.
type dependencies struct {
	log     zerolog.Logger
	metrics *telemetry.Metrics
	ready   *telemetry.Readiness
}

// about describes a process in its help.
type about struct {
	name, does, example string
	cloud               bool // it also reads OS_*
}

// processCommand returns the subcommand of a process. It reads the configuration, refuses a wrong one with all its faults
// before anything is started, and calls run with a context that ends at the first signal and carries the log.
func processCommand[C interface{ LogConfig() telemetry.Config }](a about, cfg C, run func(context.Context, C, dependencies) error) *cobra.Command {
	return &cobra.Command{
		Use: a.name, Short: a.does, Example: "  " + a.example, Args: cli.NoArguments,
		Long: a.does + "\n\nIt reads these variables (docs/configuration.md describes them):\n" + config.Listing(cfg, a.cloud),
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := config.Load(os.Environ(), cfg)
			if a.cloud {
				_, faults := openstack.FromEnv(os.Getenv) // reported with the others; the cloud is connected to later
				err = errors.Join(err, faults)
			}
			if err != nil {
				return cli.UsageError{Cause: fmt.Errorf("read configuration: nothing was started:\n%w", err)}
			}
			log := telemetry.New(cfg.LogConfig(), visible.JSON(cmd.ErrOrStderr()), strings.Fields(cmd.CommandPath())[1], version)
			tasks.LogRedis(log)
			d := dependencies{log: log, metrics: telemetry.NewMetrics(), ready: telemetry.NewReadiness(log)}
			log.Info().Msg("started")
			defer watchReadiness(cmd.Context(), d.ready)()
			err = run(log.WithContext(cmd.Context()), cfg, d)
			if err == nil || errors.Is(err, errStopped) {
				log.Info().Msg("ended")
				return nil
			}
			log.Error().Err(err).Msg("ended by an error")
			return cli.LoggedError{Cause: err}
		},
	}
}

// watchReadiness checks the readiness regularly until the returned function is called.
func watchReadiness(ctx context.Context, ready *telemetry.Readiness) (stop func()) {
	if crashpoint.ReadinessPeriod == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() { ready.Watch(ctx, crashpoint.ReadinessPeriod) })
	return func() { cancel(); wait.Wait() }
}

// withMonitoring runs a process together with its server for metrics and health. When one ends, so does the other.
func withMonitoring(ctx context.Context, cfg config.Monitoring, d dependencies, process func(context.Context) error) error {
	server, err := telemetry.Listen(ctx, cfg, d.metrics, d.ready)
	if err != nil {
		return explainListen(err, "STAFFELN_METRICS_LISTEN")
	}
	return together(ctx, server.Run, process)
}

func together(ctx context.Context, processes ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, process := range processes {
		group.Go(func() error { return process(ctx) })
	}
	return group.Wait()
}
