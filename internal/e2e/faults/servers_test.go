//go:build faults

package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit/private"
)

// away is how long a server is gone.
const away = time.Minute

// Redis is restarted, and has lost all it had, at random moments.
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

// Redis is gone for a minute, and comes back empty.
func TestRedisAwayUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).crewed()
	r.gone(r.redis)
	r.alive()
	r.recovers(afterLease)
}

// Postgres is restarted, in order and by a crash, at random moments.
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

// Postgres is gone for a minute.
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

// back starts a server again; what this test itself has of connections to it is dead.
func (r *installation) back(server *private.Server) {
	r.T.Helper()
	require.NoError(r.T, server.Restart(r.Ctx))
	r.DB.Reset()
}

// alive checks that no process ended by itself.
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
