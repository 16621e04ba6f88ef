package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"staffeln/internal/config"

	"github.com/rs/zerolog"

	"staffeln/db"
)

const (
	// startTime is how long scheduler and worker wait for all rooms together, also where STAFFELN_OPENSTACK_RETRY_TIMEOUT
	// is longer: a Keystone that is restarted is back by then, and whoever typed a wrong URL gets to know it.
	startTime = 60 * time.Second
	// noticeTime is how long it waits without a word.
	noticeTime = 3 * time.Second
)

// errStopped is the end of a start by a signal: that is no fault.
var errStopped = errors.New("stopped while it started")

// waiting opens a room, and says so where that takes long.
func waiting[T any](ctx context.Context, room string, open func() (T, error)) (T, error) {
	notice := time.AfterFunc(noticeTime, func() {
		zerolog.Ctx(ctx).Warn().Str("room", room).Msg("start waits for an answer")
	})
	defer notice.Stop()
	opened, err := open()
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		err = errStopped
	}
	return opened, err
}

// openDatabase opens the memory, and adds it to the readiness.
func openDatabase(ctx context.Context, database config.Database, s surroundings) (*db.DB, error) {
	memory, err := waiting(ctx, "database", func() (*db.DB, error) { return db.Open(ctx, database.DatabaseURL, s.metrics, boundaries().database...) })
	if err != nil {
		return nil, err
	}
	s.ready.Add("database", answers(memory.Ping, databaseAway))
	return memory, nil
}

const (
	databaseAway = "start Postgres, or check STAFFELN_DATABASE_URL; nothing is planned, begun or removed until it answers"
	redisAway    = "start Redis, or check STAFFELN_REDIS_URL; no task is enqueued or taken until it answers, and none is lost"
)

// answers adds what to do to the error of a check.
func answers(check func(context.Context) error, cure string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := check(ctx); err != nil {
			return fmt.Errorf("%w: %s", err, cure)
		}
		return nil
	}
}

// listened adds what to do to the error of a process that could not listen on the address in a variable or flag.
func listened(err error, name string) error {
	if refused := new(net.OpError); errors.As(err, &refused) && refused.Op == "listen" {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("%w: end what listens there, or name another address in %s", err, name)
		}
		return fmt.Errorf("%w: mend the address in %s", err, name)
	}
	return err
}
