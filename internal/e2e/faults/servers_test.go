//go:build faults

package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit/private"
)

// outage is how long a server is down.
const outage = time.Minute

// Redis is restarted at random moments, without its data.
func TestRedisRestartedEmptyUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	for range 6 {
		r.wait(r.randomTime(time.Second, 6*time.Second))
		require.NoError(t, r.redis.Kill())
		r.restart(r.redis)
	}
	r.requireRecovery(afterLease)
}

// Redis is down for a minute, and restarts empty.
func TestRedisAwayUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	r.stopForAWhile(r.redis)
	r.requireAlive()
	r.requireRecovery(afterLease)
}

// Postgres is restarted at random moments, with and without a crash.
func TestPostgresRestartedUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	for _, end := range []func() error{r.postgres.Stop, r.postgres.Kill, r.postgres.Kill, r.postgres.Stop} {
		r.wait(r.randomTime(2*time.Second, 6*time.Second))
		require.NoError(t, end())
		r.restart(r.postgres)
	}
	r.requireAlive()
	r.requireRecovery(afterLease)
}

// Postgres is down for a minute.
func TestPostgresAwayUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	r.stopForAWhile(r.postgres)
	r.requireAlive()
	r.requireRecovery(afterLease)
}

func (r *installation) stopForAWhile(server *private.Server) {
	r.T.Helper()
	require.NoError(r.T, server.Kill())
	r.wait(outage)
	r.restart(server)
}

// restart starts a server again; the test's own connections to it are closed.
func (r *installation) restart(server *private.Server) {
	r.T.Helper()
	require.NoError(r.T, server.Restart(r.Ctx))
	r.DB.Reset()
}

// requireAlive asserts that no process has ended.
func (r *installation) requireAlive() {
	r.T.Helper()
	for _, m := range r.instances {
		select {
		case <-m.Done:
			require.Fail(r.T, "a process ended by itself", "%s: %s", m.name, m.Log.Tail(2000))
		default:
		}
	}
}
