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

	templateTime = time.Minute           // to migrate the template, and to wait until its last connection is gone
	beat         = 10 * time.Millisecond // between two looks at a condition
)

// Migrate brings the schema of the empty database at url to what the tests need. It leaves no connection open.
type Migrate func(ctx context.Context, url string) error

// DatabaseURL answers the URL of a Postgres database that belongs to this test and is dropped at its end. It is a copy of
// a template that migrate filled once in this test binary, so all tests of a package give the same migrate.
// With a nil migrate the database is empty.
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

// process is this test binary's part of a Postgres server: the databases whose names have its prefix.
// The connection holds a lock for as long as the process lives, by which others know that they are in use.
type process struct {
	server string
	prefix string
	lock   *pgx.Conn
	used   atomic.Int64

	migrated     sync.Once
	migrateError error
}

// join makes this process's part of the server when the first test asks for it.
var join = sync.OnceValues(func() (*process, error) { return joinServer(os.Getenv(databaseVariable)) })

// joinServer takes a prefix and its lock, and drops what processes that are gone have left.
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

// dropAbandoned drops the databases whose process is gone: nobody holds the lock of their prefix.
// Another process may do the same at the same time; a database that it dropped first is no fault.
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
			continue // our own lock admits ourselves
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

// createDatabase copies the template. Postgres refuses that while the template has connections,
// and a connection that its client has closed may live there for a moment longer.
func createDatabase(ctx context.Context, server, name, template string) error {
	ctx, cancel := context.WithTimeout(ctx, templateTime)
	defer cancel()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		err := execute(ctx, server, "CREATE DATABASE "+name+" TEMPLATE "+template)
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

// execute runs one statement on a connection of its own, outside a transaction.
func execute(ctx context.Context, server, statement string) error {
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }() // the statement has been answered
	_, err = conn.Exec(ctx, statement)
	return err
}

func hasCode(err error, codes ...string) bool {
	fault, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(codes, fault.Code)
}
