package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

// A leader that is at work on a long beat is heard; one that hangs loses the
// lead, though its machine still answers keepalives.
func TestALeaderThatHangsLosesTheLead(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first := h.lead("first")
	defer first.Keep(h.ctx)()
	heard := func() (at time.Time) {
		const q = `SELECT query_start FROM pg_stat_activity WHERE application_name = 'staffeln leader' AND datname = current_database()`
		require.NoError(t, h.db.pool.QueryRow(h.ctx, q).Scan(&at))
		return at
	}
	begin := heard()
	testkit.Eventually(t, "the leader is heard without a beat", time.Minute, func() bool { return heard().Sub(begin) > wordTime })
	require.NoError(t, first.Alive(h.ctx))

	first.mu.Lock() // it hangs
	var second *Leadership
	testkit.Eventually(t, "another leads", time.Minute, func() bool {
		l, err := Lead(h.ctx, h.url, "second")
		second = l
		return err == nil
	})
	first.mu.Unlock()
	t.Cleanup(second.Resign)
	require.Error(t, first.Alive(h.ctx))
	_, err := h.db.Beat(h.ctx, first.Term)
	require.ErrorIs(t, err, ErrDeposed)
}
