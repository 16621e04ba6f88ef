package main

import (
	"context"

	"github.com/spf13/cobra"

	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/tasks"
	"staffeln/worker"
)

func workerCommand() *cobra.Command {
	return processCommand(about{
		name: "worker", does: "Carries out what the scheduler dispatches. Any number may run.",
		example: ". ./openrc && staffeln worker", cloud: true,
	}, new(config.WorkerProcess), func(ctx context.Context, cfg *config.WorkerProcess, d dependencies) error {
		c, err := openClients(ctx, cfg.Database, cfg.Queue, cfg.Openstack, cfg.DryRun, d)
		if err != nil {
			return err
		}
		defer c.close()
		return withMonitoring(ctx, cfg.Monitoring, d, func(ctx context.Context) error {
			return runWorker(ctx, c, cfg.Worker, d)
		})
	})
}

func runWorker(ctx context.Context, c *clients, cfg config.Worker, d dependencies) error {
	process := worker.Worker{DB: c.db, Cloud: c.cloud, Settings: cfg.Settings, Metrics: d.metrics, Identity: c.identity}
	mailer, err := worker.NewMailer(cfg.Reporting, cfg.Mail)
	if err != nil {
		return err
	}
	reporter := worker.Reporter{DB: c.db, Directory: c.cloud, Settings: cfg.Settings, Reporting: cfg.Reporting, Mailer: mailer}
	serve := func(concurrency int, h tasks.Handlers) func(context.Context) error {
		return func(ctx context.Context) error {
			return tasks.Serve(ctx, c.redis, tasks.ServerConfig{
				Concurrency: concurrency, PollPeriod: cfg.PollPeriod.Std(), Log: d.log, Metrics: d.metrics,
			}, h)
		}
	}
	return withHeartbeat(ctx, db.WorkerProcess, c.db, d, func(ctx context.Context) error {
		return together(ctx, serve(cfg.WorkerConcurrency, process.Handlers()), serve(reportConcurrency, reporter.Handlers()))
	})
}

// reportConcurrency is how many reports one worker makes or sends at the same time. They do not count in
// WORKER_CONCURRENCY, so that a slow mail server delays no backup.
const reportConcurrency = 4
