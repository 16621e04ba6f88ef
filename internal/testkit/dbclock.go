package testkit

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// clockStart is the initial time of a database's stepped clock.
var clockStart = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// DBClock is the clock of one database, which only the test moves. It is safe for concurrent use.
type DBClock struct {
	t    testing.TB
	mu   sync.Mutex
	conn *pgx.Conn
}

// StepClock replaces staffeln_now() of the database at url by a clock that the test moves. The time is in a table of its own
// schema, and the clock has its own connection. It starts at 2030-01-01.
func StepClock(t testing.TB, url string) *DBClock {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect the stepped clock: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
		defer cancel()
		_ = conn.Close(ctx) // the database is dropped anyway
	})
	c := &DBClock{t: t, conn: conn}
	for _, statement := range []string{
		"CREATE SCHEMA testkit",
		"CREATE TABLE testkit.clock (now timestamptz NOT NULL)",
		"INSERT INTO testkit.clock SELECT '-infinity'",
		"CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now FROM testkit.clock'",
	} {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("make the stepped clock: %v", err)
		}
	}
	c.Set(clockStart)
	return c
}

// Now returns the time of the clock.
func (c *DBClock) Now() time.Time { return c.ask("SELECT now FROM testkit.clock") }

// Step moves the clock forward and returns the new time.
func (c *DBClock) Step(by time.Duration) time.Time {
	return c.ask("UPDATE testkit.clock SET now = now + $1 RETURNING now", by)
}

// Set sets the clock, also to an earlier time.
func (c *DBClock) Set(to time.Time) { c.ask("UPDATE testkit.clock SET now = $1 RETURNING now", to) }

func (c *DBClock) ask(statement string, args ...any) (now time.Time) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.conn.QueryRow(c.t.Context(), statement, args...).Scan(&now); err != nil {
		c.t.Errorf("read or move the database's clock: %v", err) // not Fatalf: any goroutine may call this
	}
	return now.UTC()
}
