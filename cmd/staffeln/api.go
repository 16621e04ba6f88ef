package main

import (
	"context"

	"github.com/spf13/cobra"

	"staffeln/api"
	"staffeln/backup"
	"staffeln/db"
)

func apiCommand() *cobra.Command {
	return processCommand(about{
		name: "api", does: "Answers over HTTP: health, metrics, the page of the queues and, with OS_*, the read API and the page.",
		example: ". ./openrc && STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln staffeln api",
	}, new(apiConfig), runAPI)
}

func runAPI(ctx context.Context, cfg *apiConfig, s surroundings) error {
	memory, err := openDatabase(ctx, cfg.Database, s)
	if err != nil {
		return err
	}
	defer memory.Close()
	return serveAPI(ctx, cfg.API, cfg.Settings, cfg.RedisURL, memory, s)
}

// serveAPI needs the Redis for nothing but the page of the queues: the API is ready without it.
func serveAPI(ctx context.Context, cfg api.Config, set backup.Settings, redisURL string, memory *db.DB, s surroundings) error {
	deps := api.Deps{Ping: memory.Ping, Log: s.log, Metrics: s.metrics, Ready: s.ready}
	if cfg.QueuesToken != "" {
		page, err := newQueuesPage(redisURL)
		if err != nil {
			return err
		}
		defer page.close()
		deps.Queues = page
	}
	w, err := openWindow(ctx, cfg.Config, set, memory, s)
	if err != nil {
		return err
	}
	if w != nil {
		deps.Routes = append(deps.Routes, w.Routes)
	}
	return listened(api.Run(ctx, cfg, deps), "STAFFELN_API_LISTEN")
}
