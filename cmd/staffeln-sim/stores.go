package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"staffeln/db"
	"staffeln/internal/config"
	"staffeln/tasks"
)

// demoMark marks the tables and the queue of a demo, so that the next one may drop what a killed demo left.
const demoMark = "made by staffeln-sim demo, which drops it"

// demoLock is the key of the lock that excludes a second demo for as long as the connection lives.
const demoLock = "hashtextextended('staffeln demo', 0)"

// stores are the database and the queue of the demo. The demo refuses stores with data of others.
type stores struct {
	url   string
	conn  *pgx.Conn // holds the lock that excludes a second demo
	redis redis.UniversalClient
	made  bool // the tables are the demo's
	taken bool // the queue is the demo's
}

// openStores connects to both and refuses what is in use. The result must be released, also after an error.
func openStores(ctx context.Context, database config.Database, queue config.Queue) (*stores, error) {
	s := &stores{url: database.DatabaseURL}
	err := s.connect(ctx)
	if err != nil {
		return s, err
	}
	if s.redis, err = tasks.Connect(queue.RedisURL); err != nil {
		return s, err
	}
	if err := s.redis.Ping(ctx).Err(); err != nil {
		return s, fmt.Errorf("connect to Redis: %w; start the server or check STAFFELN_REDIS_URL", err)
	}
	if err := s.takeDatabase(ctx); err != nil {
		return s, err
	}
	err = s.takeQueue(ctx)
	return s, err
}

func (s *stores) connect(ctx context.Context) (err error) {
	if s.conn, err = pgx.Connect(ctx, s.url); err != nil {
		return fmt.Errorf("connect to database: %w; start the server or check STAFFELN_DATABASE_URL", err)
	}
	return nil
}

func (s *stores) takeDatabase(ctx context.Context) error {
	var alone, installed bool
	var comment string
	const q = "SELECT pg_try_advisory_lock(" + demoLock + `), to_regclass('installation') IS NOT NULL,
		coalesce(obj_description(to_regclass('installation'), 'pg_class'), '')`
	if err := s.conn.QueryRow(ctx, q).Scan(&alone, &installed, &comment); err != nil {
		return fmt.Errorf("read database: %w", err)
	}
	switch {
	case !alone:
		return errors.New("use database: another demo is using it: wait until that ends, or set another database in STAFFELN_DATABASE_URL")
	case installed && comment != demoMark:
		return errors.New("use database: it has tables of Staffeln, which the demo would change and drop: " +
			"create an empty one (createdb staffeln_demo) and set it in STAFFELN_DATABASE_URL")
	}
	s.made = true // what is there from now on
	if installed {
		return s.dropTables(ctx)
	}
	return nil
}

// takeQueue refuses a Redis that has tasks, unless it also has the mark of an earlier demo: then it drops them.
func (s *stores) takeQueue(ctx context.Context) error {
	held, err := s.keys(ctx)
	if err != nil {
		return fmt.Errorf("read Redis: %w", err)
	}
	mark, err := s.redis.Get(ctx, demoKey).Result()
	switch {
	case err != nil && !errors.Is(err, redis.Nil):
		return fmt.Errorf("read Redis: %w", err)
	case len(held) > 0 && mark != demoMark:
		return errors.New("use Redis: it has tasks: set an empty one in STAFFELN_REDIS_URL, for example another number after the last slash")
	}
	s.taken = true
	if err := s.redis.Set(ctx, demoKey, demoMark, 0).Err(); err != nil {
		return fmt.Errorf("mark Redis: %w", err)
	}
	return s.drop(ctx, held...)
}

func (s *stores) drop(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	return s.redis.Del(ctx, keys...).Err()
}

const demoKey = "staffeln:demo"

// keys returns the keys of the queue.
func (s *stores) keys(ctx context.Context) ([]string, error) {
	var all []string
	scan := s.redis.Scan(ctx, 0, "asynq:*", 1000).Iterator()
	for scan.Next(ctx) {
		all = append(all, scan.Val())
	}
	return all, scan.Err()
}

// mark marks the tables as made by a demo.
func (s *stores) mark(ctx context.Context) error {
	if _, err := s.conn.Exec(ctx, "COMMENT ON TABLE installation IS '"+demoMark+"'"); err != nil {
		return fmt.Errorf("mark database: %w", err)
	}
	return nil
}

// dropTables undoes every migration.
func (s *stores) dropTables(ctx context.Context) error {
	if !s.made {
		return nil
	}
	steps, err := db.MigrationStatus(ctx, s.url)
	for _, step := range steps {
		if step.Applied && err == nil {
			_, err = db.MigrateDown(ctx, s.url)
		}
	}
	if err != nil {
		return fmt.Errorf("drop the demo's tables: %w; drop the database, or set another one", err)
	}
	_, err = s.conn.Exec(ctx, "DROP TABLE IF EXISTS goose_db_version")
	return err
}

// clearDatabase drops the demo's tables. An interrupted query has closed its connection, with which the lock ends. A demo that
// has taken the lock since then drops the tables itself.
func (s *stores) clearDatabase(ctx context.Context) error {
	if s.made && s.conn.IsClosed() {
		if err := s.connect(ctx); err != nil {
			return err
		}
		if _, err := s.conn.Exec(ctx, "SELECT pg_advisory_lock("+demoLock+")"); err != nil {
			return fmt.Errorf("wait for the end of the interrupted query, or of the demo that has begun since then: %w", err)
		}
	}
	return s.dropTables(ctx)
}

// release removes what the demo stored and closes the connections.
func (s *stores) release(ctx context.Context) error {
	var faults []error
	if s.redis != nil {
		if s.taken {
			held, err := s.keys(ctx)
			faults = append(faults, err, s.drop(ctx, append(held, demoKey)...))
		}
		faults = append(faults, s.redis.Close())
	}
	if s.conn != nil {
		faults = append(faults, s.clearDatabase(ctx))
	}
	if s.conn != nil { // it may have been lost, and not be back
		faults = append(faults, s.conn.Close(ctx))
	}
	return errors.Join(faults...)
}
