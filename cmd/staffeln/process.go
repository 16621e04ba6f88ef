package main

import (
	"context"
	"errors"
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
			source, err := cli.Configure(cmd, cfg, func() (faults error) {
				if a.cloud {
					_, faults = openstack.FromEnv(os.Getenv) // reported with the others; the cloud is connected to later
				}
				return faults
			})
			if err != nil {
				return err
			}
			log := telemetry.New(cfg.LogConfig(), visible.JSON(cmd.ErrOrStderr()), strings.Fields(cmd.CommandPath())[1], version)
			tasks.LogRedis(log)
			metrics := telemetry.NewMetrics(a.name)
			d := dependencies{log: log, metrics: metrics, ready: telemetry.NewReadiness(log, metrics)}
			logSource(log, source)
			defer watchReadiness(cmd.Context(), d.ready)()
			err = run(log.WithContext(cmd.Context()), cfg, d)
			stopped := cmd.Context().Err() != nil && errors.Is(err, context.Canceled) // a signal ended a step of the start
			if err == nil || stopped || errors.Is(err, errStopped) {
				log.Info().Msg("ended")
				return nil
			}
			log.Error().Err(err).Msg("ended by an error")
			return cli.LoggedError{Cause: err}
		},
	}
}

// logSource logs the start, and the environment file if there is one.
func logSource(log zerolog.Logger, source config.Source) {
	if warning := source.Warning(); warning != "" {
		log.Warn().Str("file", source.File).Strs("variables", source.Public).Msg("environment file with secrets can be read by every user: chmod 600 it")
	}
	started := log.Info()
	if source.File != "" {
		started.Str("file", source.File)
	}
	if len(source.Beside) > 0 {
		started.Strs("overridden", source.Beside)
	}
	started.Msg("started")
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
	zerolog.Ctx(ctx).Info().Str("address", server.Addr().String()).Msg("serving metrics and health")
	return together(ctx, server.Run, process)
}

func together(ctx context.Context, processes ...func(context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, process := range processes {
		group.Go(func() error { return process(ctx) })
	}
	return group.Wait()
}
