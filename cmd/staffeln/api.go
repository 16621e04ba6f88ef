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
	memory, err := db.Open(ctx, cfg.DatabaseURL, s.metrics)
	if err != nil {
		return err
	}
	defer memory.Close()
	s.ready.Add("database", memory.Ping)
	return api.Run(ctx, cfg.API, api.Deps{Ping: memory.Ping, Log: s.log, Metrics: s.metrics, Ready: s.ready})
}
