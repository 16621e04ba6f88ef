//go:build faults

package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit/private"
)

// outage is how long a server is down.
const away = time.Minute

// Redis is restarted at random moments, without its data.
func TestRedisRestartedEmptyUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).crewed()
	for range 6 {
		r.lasts(r.between(time.Second, 6*time.Second))
		require.NoError(t, r.redis.Kill())
		r.back(r.redis)
	}
	r.recovers(afterLease)
}

// Redis is down for a minute, and restarts empty.
func TestRedisAwayUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).crewed()
	r.gone(r.redis)
	r.alive()
	r.recovers(afterLease)
}

// Postgres is restarted at random moments, with and without a crash.
func TestPostgresRestartedUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).crewed()
	for _, end := range []func() error{r.postgres.Stop, r.postgres.Kill, r.postgres.Kill, r.postgres.Stop} {
		r.lasts(r.between(2*time.Second, 6*time.Second))
		require.NoError(t, end())
		r.back(r.postgres)
	}
	r.alive()
	r.recovers(afterLease)
}

// Postgres is down for a minute.
func TestPostgresAwayUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).crewed()
	r.gone(r.postgres)
	r.alive()
	r.recovers(afterLease)
}

func (r *installation) gone(server *private.Server) {
	r.T.Helper()
	require.NoError(r.T, server.Kill())
	r.lasts(away)
	r.back(server)
}

// restart starts a server again; the test's own connections to it are closed.
func (r *installation) back(server *private.Server) {
	r.T.Helper()
	require.NoError(r.T, server.Restart(r.Ctx))
	r.DB.Reset()
}

// requireAlive asserts that no process has ended.
func (r *installation) alive() {
	r.T.Helper()
	for _, m := range r.crew {
		select {
		case <-m.Done:
			require.Fail(r.T, "a process ended by itself", "%s: %s", m.name, m.Log.Tail(2000))
		default:
		}
	}
}
