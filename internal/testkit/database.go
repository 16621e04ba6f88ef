package testkit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	databaseVariable = "TEST_DATABASE_URL"
	databasePrefix   = "staffeln_test_"

	templateTime = time.Minute           // to migrate the template, and to wait until it has no connections
	pollInterval = 10 * time.Millisecond // between two checks of a condition
)

// Migrate creates the schema in the empty database at url. It leaves no connection open.
type Migrate func(ctx context.Context, url string) error

// DatabaseURL returns the URL of a new Postgres database for this test, which is dropped at the end of the test. It is a copy
// of a template that migrate filled once in this test binary, so all tests of a package must pass the same migrate. With a nil
// migrate the database is empty.
func DatabaseURL(t testing.TB, migrate Migrate) string {
	t.Helper()
	shared := server(t, databaseVariable)
	p, err := join()
	if err != nil {
		t.Fatalf("prepare Postgres (%s): %v", databaseVariable, err)
	}
	template := "template1"
	if migrate != nil {
		template = p.prefix + "template"
		p.migrated.Do(func() {
			p.migrateError = p.makeTemplate(template, withPath(t, databaseVariable, shared, template), migrate)
		})
		if p.migrateError != nil {
			t.Fatalf("make the template database: %v", p.migrateError)
		}
	}
	name := fmt.Sprintf("%s%d", p.prefix, p.used.Add(1))
	if err := createDatabase(t.Context(), shared, name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
		defer cancel()
		if err := execute(ctx, shared, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	return withPath(t, databaseVariable, shared, name)
}

// process is this test binary's part of a Postgres server: the databases with its prefix. The connection holds an advisory
// lock as long as the process lives, so other processes see that the databases are in use.
type process struct {
	server string
	prefix string
	lock   *pgx.Conn
	used   atomic.Int64

	migrated     sync.Once
	migrateError error
}

// join calls joinServer once, when the first test needs a database.
var join = sync.OnceValues(func() (*process, error) { return joinServer(os.Getenv(databaseVariable)) })

// joinServer chooses a prefix, locks it, and drops the databases of processes that have ended.
func joinServer(server string) (*process, error) {
	ctx, cancel := context.WithTimeout(context.Background(), templateTime)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	p := &process{server: server, prefix: databasePrefix + strings.ToLower(rand.Text()[:10]) + "_", lock: conn}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", p.prefix); err != nil {
		return nil, fmt.Errorf("lock prefix %s: %w", p.prefix, err)
	}
	if err := p.dropAbandoned(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

const selectAbandoned = `
SELECT datname, substring(datname FROM '^` + databasePrefix + `[a-z0-9]+_') AS prefix
FROM pg_database
WHERE datname ~ '^` + databasePrefix + `[a-z0-9]+_'
  AND pg_try_advisory_xact_lock(hashtextextended(substring(datname FROM '^` + databasePrefix + `[a-z0-9]+_'), 0))`

// dropAbandoned drops the databases whose prefix nobody locks: their process has ended. Another process may do this at the
// same time, so a database that is already dropped is no error.
func (p *process) dropAbandoned(ctx context.Context) error {
	rows, err := p.lock.Query(ctx, selectAbandoned)
	if err != nil {
		return fmt.Errorf("list test databases: %w", err)
	}
	type found struct{ Datname, Prefix string }
	abandoned, err := pgx.CollectRows(rows, pgx.RowToStructByName[found])
	if err != nil {
		return fmt.Errorf("list test databases: %w", err)
	}
	for _, database := range abandoned {
		if database.Prefix == p.prefix {
			continue // our session gets its own lock again
		}
		if err := execute(ctx, p.server, "DROP DATABASE IF EXISTS "+database.Datname+" WITH (FORCE)"); err != nil && !hasCode(err, "55006", "XX000") {
			return fmt.Errorf("drop abandoned database %s: %w", database.Datname, err)
		}
	}
	return nil
}

func (p *process) makeTemplate(name, url string, migrate Migrate) error {
	ctx, cancel := context.WithTimeout(context.Background(), templateTime)
	defer cancel()
	if err := createDatabase(ctx, p.server, name, "template1"); err != nil {
		return err
	}
	if err := migrate(ctx, url); err != nil {
		return fmt.Errorf("migrate %s: %w", name, err)
	}
	return nil
}

// copyStrategy copies files, which takes a third of the CPU time of Postgres' default, to write each page to its log.
const copyStrategy = " STRATEGY file_copy"

// createDatabase copies the template. Postgres refuses this while the template has connections, and a connection may exist
// there for a moment after its client closed it.
func createDatabase(ctx context.Context, server, name, template string) error {
	ctx, cancel := context.WithTimeout(ctx, templateTime)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := execute(ctx, server, "CREATE DATABASE "+name+" TEMPLATE "+template+copyStrategy)
		if err == nil {
			return nil
		}
		if !hasCode(err, "55006") { // object_in_use
			return fmt.Errorf("create database %s from %s: %w", name, template, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("create database %s: is a connection to %s still open? %w", name, template, err)
		}
	}
}

// execute runs one statement on a new connection, without a transaction.
func execute(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // the statement has ended
	_, err = conn.Exec(ctx, statement)
	return err
}

func hasCode(err error, codes ...string) bool {
	fault, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, fault.Code)
}
