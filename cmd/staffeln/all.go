package main

import (
	"context"

	"staffeln/internal/config"

	"github.com/spf13/cobra"
)

func allCommand() *cobra.Command {
	return processCommand(about{
		name: "all", does: "Runs scheduler, worker and api in one process, for small clouds.",
		example: ". ./openrc && staffeln migrate up && staffeln all", cloud: true,
	}, new(config.All), func(ctx context.Context, cfg *config.All, s surroundings) error {
		r, err := openRooms(ctx, cfg.Database, cfg.Queue, cfg.Openstack, s)
		if err != nil {
			return err
		}
		defer r.close()
		return withMonitoring(ctx, cfg.Monitoring, s, func(ctx context.Context) error {
			return together(ctx,
				func(ctx context.Context) error {
					return runScheduler(ctx, r, cfg.DatabaseURL, cfg.Scheduler, s)
				},
				func(ctx context.Context) error { return runWorker(ctx, r, cfg.Worker, s) },
				func(ctx context.Context) error {
					return serveAPI(ctx, cfg.API, cfg.Scheduler.Settings, cfg.RedisURL, r.db, s, func() {})
				})
		})
	})
}
