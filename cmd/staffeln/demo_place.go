package main

import (
	"context"
	"errors"
	"fmt"

	"staffeln/internal/config"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"staffeln/db"
	"staffeln/tasks"
)

// demoMark is the comment by which a demo knows the tables of an earlier one, which did not come to its end.
const demoMark = "of staffeln demo: the next one drops it"

// demoPlace is the database and the queue that the demo was given. It is theirs alone: whoever has records there is not to
// lose them, so a place that others use is refused.
type demoPlace struct {
	url   string
	conn  *pgx.Conn // holds the lock that keeps a second demo away
	redis redis.UniversalClient
	made  bool // the tables are ours to drop
	taken bool // the queue is ours to empty
}

// takeDemoPlace connects to both, and refuses what is in use. What it answers must be left, also when it fails.
func takeDemoPlace(ctx context.Context, database config.Database, queue config.Queue) (*demoPlace, error) {
	p := &demoPlace{url: database.DatabaseURL}
	var err error
	if p.conn, err = pgx.Connect(ctx, p.url); err != nil {
		return p, fmt.Errorf("connect to database: %w; is STAFFELN_DATABASE_URL right, and does the server run?", err)
	}
	if p.redis, err = tasks.Connect(queue.RedisURL); err != nil {
		return p, err
	}
	if err := p.redis.Ping(ctx).Err(); err != nil {
		return p, fmt.Errorf("connect to Redis: %w; is STAFFELN_REDIS_URL right, and does the server run?", err)
	}
	if err := p.takeDatabase(ctx); err != nil {
		return p, err
	}
	err = p.takeQueue(ctx)
	return p, err
}

func (p *demoPlace) takeDatabase(ctx context.Context) error {
	var alone, installed bool
	var comment string
	const q = `SELECT pg_try_advisory_lock(hashtextextended('staffeln demo', 0)), to_regclass('installation') IS NOT NULL,
		coalesce(obj_description(to_regclass('installation'), 'pg_class'), '')`
	if err := p.conn.QueryRow(ctx, q).Scan(&alone, &installed, &comment); err != nil {
		return fmt.Errorf("look into database: %w", err)
	}
	switch {
	case !alone:
		return errors.New("take database: another demo is using it: wait for its end, or name another database in STAFFELN_DATABASE_URL")
	case comment == demoMark:
		p.made = true
		return p.dropTables(ctx)
	case installed:
		return errors.New("take database: it has tables of Staffeln, which a demo would mix with its own and drop: " +
			"make an empty one (createdb staffeln_demo) and name it in STAFFELN_DATABASE_URL")
	}
	return nil
}

// takeQueue refuses a Redis that has tasks: only those of an earlier demo, whose mark is there too, are dropped.
func (p *demoPlace) takeQueue(ctx context.Context) error {
	held, err := p.keys(ctx)
	if err != nil {
		return fmt.Errorf("look into Redis: %w", err)
	}
	mark, err := p.redis.Get(ctx, demoKey).Result()
	switch {
	case err != nil && !errors.Is(err, redis.Nil):
		return fmt.Errorf("look into Redis: %w", err)
	case len(held) > 0 && mark != demoMark:
		return errors.New("take Redis: it has tasks of others: name an empty one in STAFFELN_REDIS_URL, such as another number after the last slash")
	}
	p.taken = true
	if err := p.redis.Set(ctx, demoKey, demoMark, 0).Err(); err != nil {
		return fmt.Errorf("mark Redis: %w", err)
	}
	return p.drop(ctx, held...)
}

func (p *demoPlace) drop(ctx context.Context, keys ...string) error {
	if len(keys) == 0 {
		return nil
	}
	return p.redis.Del(ctx, keys...).Err()
}

const demoKey = "staffeln:demo"

// keys are those of the queue.
func (p *demoPlace) keys(ctx context.Context) ([]string, error) {
	var all []string
	scan := p.redis.Scan(ctx, 0, "asynq:*", 1000).Iterator()
	for scan.Next(ctx) {
		all = append(all, scan.Val())
	}
	return all, scan.Err()
}

// mark says in the tables that they are a demo's.
func (p *demoPlace) mark(ctx context.Context) error {
	p.made = true
	if _, err := p.conn.Exec(ctx, "COMMENT ON TABLE installation IS '"+demoMark+"'"); err != nil {
		return fmt.Errorf("mark database: %w", err)
	}
	return nil
}

// dropTables takes every step of the schema back.
func (p *demoPlace) dropTables(ctx context.Context) error {
	if !p.made {
		return nil
	}
	steps, err := db.MigrationStatus(ctx, p.url)
	for _, step := range steps {
		if step.Applied && err == nil {
			_, err = db.MigrateDown(ctx, p.url)
		}
	}
	if err != nil {
		return fmt.Errorf("drop the demo's tables: %w; drop the database, or name another one", err)
	}
	p.made = false
	_, err = p.conn.Exec(ctx, "DROP TABLE IF EXISTS goose_db_version")
	return err
}

// leave takes everything away again that the demo brought.
func (p *demoPlace) leave(ctx context.Context) error {
	var faults []error
	if p.redis != nil {
		if p.taken {
			held, err := p.keys(ctx)
			faults = append(faults, err, p.drop(ctx, append(held, demoKey)...))
		}
		faults = append(faults, p.redis.Close())
	}
	if p.conn != nil {
		faults = append(faults, p.dropTables(ctx), p.conn.Close(ctx))
	}
	return errors.Join(faults...)
}
