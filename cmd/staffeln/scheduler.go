package main

import (
	"context"
	"fmt"
	"os"

	"staffeln/internal/config"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"staffeln/internal/telemetry"
	"staffeln/scheduler"
	"staffeln/tasks"
)

func schedulerCommand() *cobra.Command {
	return processCommand(about{
		name: "scheduler", does: "Decides what is backed up and removed, and hands the work over. Any number may run; one leads.",
		example: ". ./openrc && staffeln scheduler", cloud: true,
	}, new(config.SchedulerProcess), func(ctx context.Context, cfg *config.SchedulerProcess, s surroundings) error {
		r, err := openRooms(ctx, cfg.Database, cfg.Queue, cfg.Openstack, s)
		if err != nil {
			return err
		}
		defer r.close()
		return withMonitoring(ctx, cfg.Monitoring, s, func(ctx context.Context) error {
			return runScheduler(ctx, r, cfg.DatabaseURL, cfg.Scheduler, s)
		})
	})
}

func runScheduler(ctx context.Context, r *rooms, databaseURL string, cfg config.Scheduler, s surroundings) error {
	if err := s.metrics.Registry.Register(tasks.NewCollector(r.redis)); err != nil {
		return fmt.Errorf("register metrics of the queue: %w", err)
	}
	process := scheduler.Scheduler{
		DB: r.db, Cloud: r.cloud, Queue: tasks.NewClient(r.redis, s.log, s.metrics),
		Settings: cfg.Settings, Reporting: cfg.Reporting, Metrics: s.metrics, Identity: r.identity,
	}
	return process.Run(ctx, databaseURL, leaderName(), boundaries().database...)
}

// leaderName tells operators which process leads.
func leaderName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}

// withMonitoring runs a process beside its metrics and health; whichever ends
// first ends the other.
func withMonitoring(ctx context.Context, cfg config.Monitoring, s surroundings, process func(context.Context) error) error {
	server, err := telemetry.Listen(ctx, cfg, s.metrics, s.ready)
	if err != nil {
		return listened(err, "STAFFELN_METRICS_LISTEN")
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
