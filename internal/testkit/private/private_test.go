package private

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNewestPostgresIsChosen(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "/p/16/bin/postgres", newest([]string{"/p/9/bin/postgres", "/p/16/bin/postgres", "/p/15/bin/postgres", "/p/x/bin/postgres"}))
	assert.Empty(t, newest(nil))
}

func TestPostgresIsPrivateAndInUTC(t *testing.T) {
	t.Parallel()
	server, err := StartPostgres(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })

	conn, err := pgx.Connect(t.Context(), server.URL)
	require.NoError(t, err)
	for setting, want := range map[string]string{
		"TimeZone": "UTC", "server_encoding": "UTF8", "lc_collate": "C.UTF-8", "fsync": "off",
		"listen_addresses": "127.0.0.1", "max_connections": "300",
	} {
		var got string
		require.NoError(t, conn.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got))
		assert.Equal(t, want, got, setting)
	}
	require.NoError(t, conn.Close(t.Context()))
	assertUnprivileged(t, server)
}

func TestPostgresRestartsAfterKill(t *testing.T) {
	t.Parallel()
	server, err := StartPostgres(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	url := server.URL

	require.NoError(t, server.Kill())
	require.Error(t, pingPostgres(t.Context(), url))
	require.NoError(t, server.Restart(t.Context()))
	require.NoError(t, pingPostgres(t.Context(), url))
}

func TestRedisIsPrivateAndHasNoPersistence(t *testing.T) {
	t.Parallel()
	server, err := StartRedis(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	client := client(t, server)
	for setting, want := range map[string]string{
		"databases": "512", "appendonly": "no", "save": "", "maxmemory-policy": "noeviction", "bind": "127.0.0.1",
	} {
		got, err := client.ConfigGet(t.Context(), setting).Result()
		require.NoError(t, err)
		assert.Equal(t, want, got[setting], setting)
	}
	assertUnprivileged(t, server)

	require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
	require.NoError(t, server.Kill())
	require.NoError(t, server.Kill(), "a killed server can be killed again")
	require.Error(t, client.Ping(t.Context()).Err())
	require.NoError(t, server.Restart(t.Context()))
	require.NoError(t, server.Restart(t.Context()), "a server that runs continues")
	require.ErrorIs(t, client.Get(t.Context(), "key").Err(), redis.Nil)
}

func TestRedisOptionsOverrideDefaults(t *testing.T) {
	t.Parallel()
	server, err := StartRedis(t.Context(), t.TempDir(), "--appendonly", "yes", "--appendfsync", "always")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	client := client(t, server)
	require.NoError(t, client.Set(t.Context(), "key", "value", 0).Err())
	require.NoError(t, server.Kill())
	require.NoError(t, server.Restart(t.Context()))
	assert.Equal(t, "value", client.Get(t.Context(), "key").Val())
}

func TestRedisAfterSIGSTOPAcceptsConnectionsWithoutResponse(t *testing.T) {
	t.Parallel()
	server, err := StartRedis(t.Context(), t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Stop()) })
	require.NoError(t, server.Signal(syscall.SIGSTOP))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, pingRedis(ctx, strings.TrimSuffix(strings.TrimPrefix(server.URL, "redis://"), "/0")), os.ErrDeadlineExceeded)
	require.NoError(t, server.Signal(syscall.SIGCONT))
}

func TestFailedStartReturnsServerLog(t *testing.T) {
	t.Parallel()
	_, err := StartRedis(t.Context(), t.TempDir(), "--no-such-option", "yes")
	require.ErrorIs(t, err, errEnded)
	require.ErrorContains(t, err, "start redis")
	require.ErrorContains(t, err, "no-such-option")

	_, err = StartPostgres(t.Context(), filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func client(t *testing.T, server *Server) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(server.URL)
	require.NoError(t, err)
	options.MaxRetries = -1
	client := redis.NewClient(options)
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	return client
}

// assertUnprivileged checks the owner of the server's folder, which is the user that runs the server.
func assertUnprivileged(t *testing.T, server *Server) {
	t.Helper()
	info, err := os.Stat(server.folder)
	require.NoError(t, err)
	owner, ok := info.Sys().(*syscall.Stat_t)
	require.True(t, ok)
	assert.NotZero(t, owner.Uid, "the server's folder belongs to root")
}
