package db

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
	"staffeln/internal/testkit/private"
)

// connectFuncs has all functions of the package that connect.
var connectFuncs = map[string]func(context.Context, string) error{
	"Open": func(ctx context.Context, url string) error {
		d, err := Open(ctx, url, nil)
		if err == nil {
			d.Close()
		}
		return err
	},
	"Lead": func(ctx context.Context, url string) error {
		l, err := Lead(ctx, url, "name")
		if err == nil {
			l.Resign()
		}
		return err
	},
	"MigrateUp":       func(ctx context.Context, url string) error { _, err := MigrateUp(ctx, url); return err },
	"MigrateDown":     func(ctx context.Context, url string) error { _, err := MigrateDown(ctx, url); return err },
	"MigrationStatus": func(ctx context.Context, url string) error { _, err := MigrationStatus(ctx, url); return err },
}

const secret = "S3cr3tOfOurs"

func TestErrorsAboutInvalidURLsDoNotContainThePassword(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"postgres://staffeln:" + secret + "@127.0.0.1:1/staffeln?sslmode=disable",
		"postgres://staffeln:" + secret + "@127.0.0.1:port/staffeln",
		"postgres://staffeln:" + secret + "%zz@127.0.0.1/staffeln",
		"postgres://staffeln:" + secret + "@127.0.0.1/staffeln?sslmode=sometimes",
		"postgres://staffeln:" + secret + "@127.0.0.1/staffeln?pool_max_conns=many",
		"mysql://staffeln:" + secret + "@127.0.0.1/staffeln",
		"host=127.0.0.1 port=1 user=staffeln password=" + secret,
		secret,
	} {
		for name, connect := range connectFuncs {
			err := connect(t.Context(), wrong)
			require.Error(t, err, "%s %s", name, wrong)
			assert.NotContains(t, err.Error(), secret, name)
		}
	}
}

func TestErrorsAboutRejectedPasswordsDoNotContainThem(t *testing.T) {
	t.Parallel()
	address := passwordServer(t)
	for name, connect := range connectFuncs {
		err := connect(t.Context(), address)
		require.ErrorContains(t, err, "password authentication failed", name)
		assert.NotContains(t, err.Error(), secret, name)
	}
}

// passwordServer returns the URL, with a wrong password, of a server that requires passwords.
func passwordServer(t *testing.T) string {
	t.Helper()
	server, err := private.StartPostgres(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	conn, err := pgx.Connect(t.Context(), server.URL)
	require.NoError(t, err)
	var rules string
	require.NoError(t, conn.QueryRow(t.Context(), "SHOW hba_file").Scan(&rules))
	for _, q := range []string{
		"CREATE ROLE tenant LOGIN PASSWORD 'another'",
		"COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO '" + rules + "'",
		"SELECT pg_reload_conf()",
	} {
		_, err := conn.Exec(t.Context(), q)
		require.NoError(t, err)
	}
	require.NoError(t, conn.Close(t.Context()))
	parsed, err := url.Parse(server.URL)
	require.NoError(t, err)
	parsed.User = url.UserPassword("tenant", secret)
	testkit.Eventually(t, "the server asks for passwords", time.Minute, func() bool {
		_, err := pgx.Connect(t.Context(), parsed.String())
		return err != nil && strings.Contains(err.Error(), "password authentication failed")
	})
	return parsed.String()
}

// The pool size is in the URL, as pgx reads it. Connections without a pool must not send it to the server.
func TestURLWithPoolSizeWorksForAllConnections(t *testing.T) {
	t.Parallel()
	address := testkit.DatabaseURL(t, nil) + "&pool_max_conns=7"
	for _, name := range []string{"MigrationStatus", "MigrateUp", "Open", "Lead", "MigrateDown"} {
		require.NoError(t, connectFuncs[name](t.Context(), address), name)
	}
}

func TestDatabaseReturnsClockAndInstallation(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	now, err := h.db.Now(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, base, now)
	id, err := h.db.Installation(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, h.text("SELECT id FROM installation"), id)
	require.NoError(t, h.db.Ping(h.ctx))
}
