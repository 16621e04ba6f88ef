package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A Migration is one version of the schema and whether it is applied.
type Migration struct {
	Version int64
	Name    string
	Applied bool
}

// MigrateUp applies all missing migrations and returns those that it applied, also if a later one fails. Several processes may
// call it at once: a lock lets one do the work.
func MigrateUp(ctx context.Context, url string) ([]Migration, error) {
	return migrateUp(ctx, url, migrations)
}

func migrateUp(ctx context.Context, url string, files fs.FS) ([]Migration, error) {
	var done []Migration
	err := withProvider(ctx, url, files, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		if partial, ok := errors.AsType[*goose.PartialError](err); ok { // then goose returns no results
			results = partial.Applied
			err = fmt.Errorf("apply %s: %w", partial.Failed.Source.Path, partial.Err)
		}
		for _, r := range results {
			done = append(done, Migration{r.Source.Version, r.Source.Path, true})
		}
		return err
	})
	return done, err
}

// MigrateDown reverts the newest migration. Reverting the first one deletes all data.
func MigrateDown(ctx context.Context, url string) (Migration, error) {
	var done Migration
	err := withProvider(ctx, url, migrations, func(p *goose.Provider) error {
		r, err := p.Down(ctx)
		if err != nil {
			switch {
			case errors.Is(err, goose.ErrNoNextVersion):
				return errors.New("there is no step to take back")
			case errors.Is(err, goose.ErrVersionNotFound):
				return errors.New("the newest step is of a newer program: take it back with that one's `staffeln migrate down`")
			}
			return err
		}
		done = Migration{r.Source.Version, r.Source.Path, false}
		return nil
	})
	return done, err
}

// MigrationStatus returns all migrations, oldest first.
func MigrationStatus(ctx context.Context, url string) ([]Migration, error) {
	var all []Migration
	err := withProvider(ctx, url, migrations, func(p *goose.Provider) error {
		steps, err := p.Status(ctx)
		for _, s := range steps {
			all = append(all, Migration{s.Source.Version, s.Source.Path, s.State == goose.StateApplied})
		}
		return err
	})
	return all, err
}

func withProvider(ctx context.Context, url string, files fs.FS, do func(*goose.Provider) error) error {
	cfg, err := parse(url, "staffeln migrate")
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	conn := stdlib.OpenDB(*cfg.ConnConfig)
	defer func() { _ = conn.Close() }() // all work is done
	if err := conn.PingContext(ctx); err != nil {
		return fmt.Errorf("migrate database %s: %w", databaseAddress(cfg), withAdvice(err))
	}
	p, err := newProvider(conn, files)
	if err != nil {
		return fmt.Errorf("migrate database %s: %w", databaseAddress(cfg), err)
	}
	if err := do(p); err != nil {
		return fmt.Errorf("migrate database %s: %w", databaseAddress(cfg), withSQLStateAdvice(err))
	}
	return nil
}

func newProvider(conn *sql.DB, files fs.FS) (*goose.Provider, error) {
	dir, err := fs.Sub(files, "migrations")
	if err != nil {
		return nil, err
	}
	// tries once a second, for five minutes, to take the lock that another process may hold
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, conn, dir, goose.WithSessionLocker(locker))
}

// checkVersion compares the database's schema version with the newest embedded migration.
func (d *DB) checkVersion(ctx context.Context) error {
	want, err := newestVersion()
	if err != nil {
		return err
	}
	var have int64
	const q = `SELECT CASE WHEN to_regclass('goose_db_version') IS NULL THEN 0 ELSE 1 END`
	if err := d.pool.QueryRow(ctx, q).Scan(&have); err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if have == 1 {
		// goose removes reverted migrations from its table
		const newest = `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`
		if err := d.pool.QueryRow(ctx, newest).Scan(&have); err != nil {
			return fmt.Errorf("read schema version: %w", err)
		}
	}
	switch {
	case have < want:
		return fmt.Errorf("schema is at version %d, this program needs %d: run `staffeln migrate up`", have, want)
	case have > want:
		return fmt.Errorf("schema is at version %d, this program knows only %d: start the newer program that made it, or go back with that one's `staffeln migrate down`", have, want)
	}
	return nil
}

func newestVersion() (int64, error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	var newest int64
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("read version of %s: %w", name, err)
		}
		newest = max(newest, v)
	}
	return newest, nil
}
