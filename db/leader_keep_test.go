package db

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

// During a long run the leader sends heartbeats. A leader that hangs loses leadership although its machine still responds
// to keepalives.
func TestHangingLeaderLosesLeadership(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	first := h.lead("first")
	defer first.Keep(h.ctx, func(context.Context) {}, func(error) {})()
	lastHeartbeat := func() (at time.Time) {
		const q = `SELECT query_start FROM pg_stat_activity WHERE application_name = 'staffeln leader' AND datname = current_database()`
		require.NoError(t, h.db.pool.QueryRow(h.ctx, q).Scan(&at))
		return at
	}
	begin := lastHeartbeat()
	testkit.Eventually(t, "the leader is heard without a run", time.Minute, func() bool { return lastHeartbeat().Sub(begin) > heartbeatInterval })
	require.NoError(t, first.Alive(h.ctx))

	run, err := h.db.BeginRun(h.ctx, first.Term)
	require.NoError(t, err)
	woken, hangs, wrote := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		wrote <- run.inTerm(h.ctx, func(pgx.Tx) error { close(hangs); <-woken; return nil })
	}()
	<-hangs // during a write, which holds the term

	first.mu.Lock() // and during a heartbeat
	wake := sync.OnceFunc(func() { close(woken); first.mu.Unlock() })
	defer wake()
	var second *Leadership
	testkit.Eventually(t, "another leads", 30*time.Second, func() bool {
		ctx, cancel := context.WithTimeout(h.ctx, time.Second) // the old leader's write holds the row of the term
		defer cancel()
		l, err := Lead(ctx, h.url, "second")
		second = l
		return err == nil
	})
	wake()
	require.Error(t, <-wrote, "what was begun under the older term")
	t.Cleanup(second.Resign)
	require.Error(t, first.Alive(h.ctx))
	_, err = h.db.BeginRun(h.ctx, first.Term)
	require.ErrorIs(t, err, ErrLostLeadership)
}

// A leader whose session is gone ends its runs at once, and not only before the next one.
func TestLeaderLearnsFromTheHeartbeatThatItsSessionIsGone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	lost := make(chan error, 1)
	defer h.lead("first").Keep(h.ctx, func(context.Context) {}, func(err error) { lost <- err })()
	h.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'staffeln leader' AND datname = current_database()`)
	require.ErrorContains(t, <-lost, "heartbeat")
}
