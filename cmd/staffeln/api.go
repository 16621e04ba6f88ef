package main

import (
	"context"

	"github.com/spf13/cobra"

	"staffeln/api"
	"staffeln/db"
)

func apiCommand() *cobra.Command {
	return processCommand(about{
		name: "api", does: "Answers over HTTP: health and metrics.",
		example: "STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln staffeln api",
	}, new(apiConfig), runAPI)
}

func runAPI(ctx context.Context, cfg *apiConfig, s surroundings) error {
	memory, err := openDatabase(ctx, cfg.Database, s)
	if err != nil {
		return err
	}
	defer memory.Close()
	return serveAPI(ctx, cfg.API, memory, s)
}

func serveAPI(ctx context.Context, cfg api.Config, memory *db.DB, s surroundings) error {
	err := api.Run(ctx, cfg, api.Deps{Ping: memory.Ping, Log: s.log, Metrics: s.metrics, Ready: s.ready})
	return listened(err, "STAFFELN_API_LISTEN")
}
