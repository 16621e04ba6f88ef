package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/internal/alerting"
	"staffeln/internal/config"
	"staffeln/internal/crashpoint"
	"staffeln/scheduler"
	"staffeln/tasks"
)

func schedulerCommand() *cobra.Command {
	return processCommand(about{
		name: "scheduler", does: "Decides what is backed up and removed, and dispatches the work. Any number may run; one leads.",
		example: ". ./openrc && staffeln scheduler", cloud: true,
	}, new(config.SchedulerProcess), func(ctx context.Context, cfg *config.SchedulerProcess, d dependencies) error {
		c, err := openClients(ctx, cfg.Database, cfg.Queue, cfg.Openstack, cfg.DryRun, d)
		if err != nil {
			return err
		}
		defer c.close()
		if err := c.requireAdmin(ctx); err != nil {
			return err
		}
		return withMonitoring(ctx, cfg.Monitoring, d, func(ctx context.Context) error {
			return runScheduler(ctx, c, cfg.DatabaseURL, cfg.Scheduler, cfg.Alerting, d)
		})
	})
}

func runScheduler(ctx context.Context, c *clients, databaseURL string, cfg config.Scheduler, receivers config.Alerting, d dependencies) error {
	if err := d.metrics.Registry.Register(tasks.NewCollector(c.redis)); err != nil {
		return fmt.Errorf("register metrics of the queue: %w", err)
	}
	outside := alerting.Alerting{Receivers: receivers, DB: c.db, Settings: cfg.Settings, Metrics: d.metrics, Installation: c.identity.Installation}
	process := scheduler.Scheduler{
		DB: c.db, Cloud: c.cloud, Queue: tasks.NewClient(c.redis, d.log, d.metrics),
		Settings: cfg.Settings, Reporting: cfg.Reporting, Metrics: d.metrics, Identity: c.identity, Beside: outside.Run,
	}
	return withHeartbeat(ctx, db.SchedulerProcess, c.db, d, func(ctx context.Context) error {
		return process.Run(ctx, databaseURL, processName(), crashpoint.Database()...)
	})
}

// processName returns the name by which operators recognise a process: host and process ID.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d", host, os.Getpid())
}
