package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/internal/crashpoint"
)

const (
	// startTime is how long scheduler and worker wait for database, queue and cloud together, also if
	// STAFFELN_OPENSTACK_RETRY_TIMEOUT is longer: that is enough for a Keystone that restarts, and a wrong URL is reported soon.
	startTime = 60 * time.Second
	// noticeTime is how long a start waits before it logs that it waits.
	noticeTime = 3 * time.Second
)

// errStopped is returned if a signal ended the start, which is no fault.
var errStopped = errors.New("stopped during start")

// waiting opens a client, and logs which one if that takes long.
func waiting[T any](ctx context.Context, dependency string, open func() (T, error)) (T, error) {
	notice := time.AfterFunc(noticeTime, func() {
		zerolog.Ctx(ctx).Warn().Str("dependency", dependency).Msg("dependency does not respond, start waits")
	})
	defer notice.Stop()
	opened, err := open()
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		err = errStopped
	}
	return opened, err
}

// openDatabase opens the database and adds its readiness check.
func openDatabase(ctx context.Context, cfg config.Database, d dependencies) (*db.DB, error) {
	database, err := waiting(ctx, "database", func() (*db.DB, error) { return db.Open(ctx, cfg.DatabaseURL, d.metrics, crashpoint.Database()...) })
	if err != nil {
		return nil, err
	}
	d.ready.Add("database", withAdvice(database.Ping, databaseAdvice))
	return database, nil
}

const (
	databaseAdvice = "start Postgres, or check STAFFELN_DATABASE_URL; nothing is planned, begun or removed until it responds"
	redisAdvice    = "start Redis, or check STAFFELN_REDIS_URL; no task is enqueued or taken until it responds, and none is lost"
)

// withAdvice adds what to do to the error of a check.
func withAdvice(check func(context.Context) error, advice string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := check(ctx); err != nil {
			return fmt.Errorf("%w: %s", err, advice)
		}
		return nil
	}
}

// explainListen adds what to do to the error of a process that could not listen on the address in a variable.
func explainListen(err error, variable string) error {
	if refused := new(net.OpError); errors.As(err, &refused) && refused.Op == "listen" {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w: stop what listens there, or set another address in %s", err, variable)
		}
		return fmt.Errorf("%w: check the address in %s", err, variable)
	}
	return err
}
