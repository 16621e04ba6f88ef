package main

import (
	"context"
	"errors"
	"net"
	"sync"

	"staffeln/internal/config"

	"github.com/spf13/cobra"

	"staffeln/api"
	"staffeln/backup"
	"staffeln/db"
)

func apiCommand() *cobra.Command {
	return processCommand(about{
		name: "api", does: "Answers over HTTP: Cinder's question whether a backup may be deleted, health, metrics, the page of the queues and, with OS_*, the read API and the page.",
		example: ". ./openrc && STAFFELN_DATABASE_URL=postgres://staffeln@localhost/staffeln staffeln api",
	}, new(config.APIProcess), runAPI)
}

func runAPI(ctx context.Context, cfg *config.APIProcess, s surroundings) error {
	memory, err := openDatabase(ctx, cfg.Database, s)
	if err != nil {
		return err
	}
	defer memory.Close()
	may, err := memory.MayChange(ctx)
	if err != nil {
		return err
	}
	begun := sync.OnceFunc(func() {
		if may {
			s.log.Warn().Msg("the api's database user may change the records, which the api never does: give it a role of its own (STAFFELN_DATABASE_API_ROLE, docs/running.md)")
		}
	})
	return serveAPI(ctx, cfg.API, cfg.Settings, cfg.RedisURL, memory, s, begun)
}

// serveAPI needs the Redis for nothing but the page of the queues: the API is ready without it. It calls begun once it listens.
func serveAPI(ctx context.Context, cfg api.Config, set backup.Settings, redisURL string, memory *db.DB, s surroundings, begun func()) error {
	checks, err := memory.Checks(ctx)
	if err != nil {
		return err
	}
	defer checks.Close()
	s.ready.Add("database", answers(checks.Ping, databaseAway))
	deps := api.Deps{Ping: checks.Ping, Checks: checks, Log: s.log, Metrics: s.metrics, Ready: s.ready, Listening: func(net.Addr) { begun() }}
	if cfg.QueuesToken != "" {
		page, err := newQueuesPage(redisURL)
		if err != nil {
			return err
		}
		defer page.close()
		deps.Queues = page
	}
	pages, err := memory.Pages(ctx)
	if err != nil {
		return err
	}
	defer pages.Close()
	w, err := openWindow(ctx, cfg.Config, set, pages, s)
	if err != nil {
		return err
	}
	if w != nil {
		deps.Routes, deps.Trouble = append(deps.Routes, w.Routes), w.Trouble
	}
	err = api.Run(ctx, cfg, deps)
	if errors.Is(err, api.ErrCheckListen) {
		return listened(err, "STAFFELN_API_CHECK_LISTEN")
	}
	if errors.Is(err, api.ErrMetricsListen) {
		return listened(err, "STAFFELN_API_METRICS_LISTEN")
	}
	return listened(err, "STAFFELN_API_LISTEN")
}
