package testkit

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

var roles atomic.Int64

// Role creates a Postgres role that may only log in and, if there is a stepped clock, read it. It returns the name and the URL
// of the same database for the role. The role is dropped before the database.
func Role(t testing.TB, database string) (name, as string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name = fmt.Sprintf("%s_role%d", strings.TrimPrefix(u.Path, "/"), roles.Add(1))
	const clock = "DO $$ BEGIN IF EXISTS (SELECT FROM pg_namespace WHERE nspname = 'testkit') THEN " +
		"GRANT USAGE ON SCHEMA testkit TO %[1]s; GRANT SELECT ON ALL TABLES IN SCHEMA testkit TO %[1]s; END IF; END $$"
	for _, statement := range []string{"CREATE ROLE " + name + " LOGIN PASSWORD 'secret'", fmt.Sprintf(clock, name)} {
		if err := execute(t.Context(), database, statement); err != nil {
			t.Fatalf("make a role: %v", err)
		}
	}
	DropRole(t, database, name)
	u.User = url.UserPassword(name, "secret")
	return name, u.String()
}

// DropRole drops a role at the end of the test, with what it owns in the database.
func DropRole(t testing.TB, database, name string) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
		defer cancel()
		conn, err := pgx.Connect(ctx, database)
		if err != nil {
			t.Errorf("drop role %s: %v", name, err)
			return
		}
		defer conn.Close(ctx) //nolint:errcheck // the database is dropped
		if _, err := conn.Exec(ctx, fmt.Sprintf("REASSIGN OWNED BY %[1]s TO CURRENT_USER; DROP OWNED BY %[1]s; DROP ROLE %[1]s", name)); err != nil {
			t.Errorf("drop role %s: %v", name, err)
		}
	})
}
