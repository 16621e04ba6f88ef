//go:build faults

package e2e

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
	r := newRig(t).crewed()
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
	r := newRig(t).crewed()
	r.gone(r.redis)
	r.alive()
	r.recovers(afterLease)
}

// Postgres is restarted, in order and by a crash, at random moments.
func TestPostgresRestartedUnderFaults(t *testing.T) {
	t.Parallel()
	r := newRig(t).crewed()
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
	r := newRig(t).crewed()
	r.gone(r.postgres)
	r.alive()
	r.recovers(afterLease)
}

func (r *rig) gone(server *private.Server) {
	r.t.Helper()
	require.NoError(r.t, server.Kill())
	r.lasts(away)
	r.back(server)
}

// back starts a server again; what this test itself has of connections to it is dead.
func (r *rig) back(server *private.Server) {
	r.t.Helper()
	require.NoError(r.t, server.Restart(r.ctx))
	r.db.Reset()
}

// alive checks that no process ended by itself.
func (r *rig) alive() {
	r.t.Helper()
	for _, m := range r.crew {
		select {
		case <-m.done:
			require.Fail(r.t, "a process ended by itself", "%s: %s", m.name, m.log.tail(2000))
		default:
		}
	}
}
