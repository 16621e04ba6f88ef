package main

import (
	"context"

	"github.com/spf13/cobra"

	"staffeln/api"
	"staffeln/db"
)

func apiCommand() *cobra.Command {
	return processCommand(about{
		name: "api", does: "Answers over HTTP: health, metrics and the page of the queues.",
		example: "STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln staffeln api",
	}, new(apiConfig), runAPI)
}

func runAPI(ctx context.Context, cfg *apiConfig, s surroundings) error {
	memory, err := openDatabase(ctx, cfg.Database, s)
	if err != nil {
		return err
	}
	defer memory.Close()
	return serveAPI(ctx, cfg.API, cfg.RedisURL, memory, s)
}

// serveAPI needs the Redis for nothing but the page of the queues: the API is ready without it.
func serveAPI(ctx context.Context, cfg api.Config, redisURL string, memory *db.DB, s surroundings) error {
	deps := api.Deps{Ping: memory.Ping, Log: s.log, Metrics: s.metrics, Ready: s.ready}
	if cfg.QueuesToken != "" {
		page, err := newQueuesPage(redisURL)
		if err != nil {
			return err
		}
		defer page.close()
		deps.Queues = page
	}
	return listened(api.Run(ctx, cfg, deps), "STAFFELN_API_LISTEN")
}
