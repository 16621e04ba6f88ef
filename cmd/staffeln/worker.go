package main

import (
	"context"

	"staffeln/internal/config"

	"github.com/spf13/cobra"

	"staffeln/tasks"
	"staffeln/worker"
)

func workerCommand() *cobra.Command {
	return processCommand(about{
		name: "worker", does: "Carries out what the scheduler dispatches. Any number may run.",
		example: ". ./openrc && staffeln worker", cloud: true,
	}, new(config.WorkerProcess), func(ctx context.Context, cfg *config.WorkerProcess, s surroundings) error {
		r, err := openRooms(ctx, cfg.Database, cfg.Queue, cfg.Openstack, s)
		if err != nil {
			return err
		}
		defer r.close()
		return withMonitoring(ctx, cfg.Monitoring, s, func(ctx context.Context) error {
			return runWorker(ctx, r, cfg.Worker, s)
		})
	})
}

func runWorker(ctx context.Context, r *rooms, cfg config.Worker, s surroundings) error {
	process := worker.Worker{DB: r.db, Cloud: r.cloud, Settings: cfg.Settings, Metrics: s.metrics, Identity: r.identity}
	mailer, err := worker.NewMailer(cfg.Reporting, cfg.Mail)
	if err != nil {
		return err
	}
	reporter := worker.Reporter{DB: r.db, Directory: r.cloud, Settings: cfg.Settings, Reporting: cfg.Reporting, Mailer: mailer}
	serve := func(concurrency int, h tasks.Handlers) func(context.Context) error {
		return func(ctx context.Context) error {
			return tasks.Serve(ctx, r.redis, tasks.ServerConfig{
				Concurrency: concurrency, PollPeriod: cfg.PollPeriod.Std(), Log: s.log, Metrics: s.metrics,
			}, h)
		}
	}
	return together(ctx, serve(cfg.WorkerConcurrency, process.Handlers()), serve(reportsAtOnce, reporter.Handlers()))
}

// reportsAtOnce is how many reports one worker makes or sends at the same time, beside its tasks of volumes: a mail
// server that stalls delays no backup.
const reportsAtOnce = 4
