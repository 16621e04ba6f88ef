package main

import (
	"context"

	"github.com/spf13/cobra"

	"staffeln/internal/config"
)

func allCommand() *cobra.Command {
	return processCommand(about{
		name: "all", does: "Runs scheduler, worker and api in one process, for small clouds.",
		example: ". ./openrc && staffeln migrate up && staffeln all", cloud: true,
	}, new(config.All), func(ctx context.Context, cfg *config.All, d dependencies) error {
		c, err := openClients(ctx, cfg.Database, cfg.Queue, cfg.Openstack, cfg.Scheduler.DryRun, d)
		if err != nil {
			return err
		}
		defer c.close()
		if err := c.requireAdmin(ctx); err != nil {
			return err
		}
		return withMonitoring(ctx, cfg.Monitoring, d, func(ctx context.Context) error {
			return together(ctx,
				func(ctx context.Context) error {
					return runScheduler(ctx, c, cfg.DatabaseURL, cfg.Scheduler, cfg.Alerting, d)
				},
				func(ctx context.Context) error { return runWorker(ctx, c, cfg.Worker, d) },
				func(ctx context.Context) error {
					return serveAPI(ctx, cfg.API, cfg.Scheduler.Settings, cfg.RedisURL, c.db, d, func() {})
				})
		})
	})
}
