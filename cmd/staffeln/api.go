package main

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/spf13/cobra"

	"staffeln/api"
	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/config"
)

func apiCommand() *cobra.Command {
	return processCommand(about{
		name:    "api",
		does:    "Serves HTTP: Cinder's delete check, health, metrics, the page of the queues and, with OS_*, the read API and its pages.",
		example: ". ./openrc && STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln staffeln api",
	}, new(config.APIProcess), runAPI)
}

func runAPI(ctx context.Context, cfg *config.APIProcess, d dependencies) error {
	database, err := openDatabase(ctx, cfg.Database, d)
	if err != nil {
		return err
	}
	defer database.Close()
	defer d.ready.End()
	tooMany, err := database.MayChange(ctx)
	if err != nil {
		return err
	}
	begun := sync.OnceFunc(func() {
		if tooMany {
			d.log.Warn().Msg("the database user of the api may change the records, which the api never does: give it a role of its own (STAFFELN_DATABASE_API_ROLE, docs/running.md)")
		}
	})
	return serveAPI(ctx, cfg.API, cfg.Settings, cfg.RedisURL, database, d, begun)
}

// serveAPI calls begun once it listens. Only the page of the queues needs Redis, so the API is ready without it.
func serveAPI(ctx context.Context, cfg api.Config, set backup.Settings, redisURL string, database *db.DB, d dependencies, begun func()) error {
	checks, err := database.Checks(ctx)
	if err != nil {
		return err
	}
	defer checks.Close()
	defer d.ready.End()
	d.ready.Add("database", withAdvice(checks.Ping, databaseAdvice))
	deps := api.Deps{Ping: checks.Ping, Checks: checks, Log: d.log, Metrics: d.metrics, Ready: d.ready, Listening: func(net.Addr) { begun() }}
	if cfg.QueuesToken != "" {
		page, err := newQueuesPage(redisURL)
		if err != nil {
			return err
		}
		defer page.close()
		deps.Queues = page
	}
	pages, err := database.Pages(ctx)
	if err != nil {
		return err
	}
	defer pages.Close()
	w, err := openWeb(ctx, cfg.Config, set, pages, d)
	if err != nil {
		return err
	}
	if w != nil {
		deps.Routes, deps.Trouble = append(deps.Routes, w.Routes), w.Trouble
	}
	err = api.Run(ctx, cfg, deps)
	switch {
	case errors.Is(err, api.ErrCheckListen):
		return explainListen(err, "STAFFELN_API_CHECK_LISTEN")
	case errors.Is(err, api.ErrMetricsListen):
		return explainListen(err, "STAFFELN_API_METRICS_LISTEN")
	}
	return explainListen(err, "STAFFELN_API_LISTEN")
}
