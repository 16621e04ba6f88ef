package db

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/internal/testkit"
)

// A request is ended by the run that saw it, also while the database's clock is behind the time of the request.
func TestRequestedRunEndsAlthoughTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	term := h.lead("first").Term
	asked, err := h.db.AskForRun(h.ctx, AskedPlan)
	require.NoError(t, err)
	h.clock.Set(base.Add(-hour))
	run, err := h.db.BeginRun(h.ctx, term)
	require.NoError(t, err)
	require.Contains(t, run.Asked, AskedPlan)
	require.NoError(t, run.BeginRequest(h.ctx, AskedPlan))
	require.NoError(t, run.EndRequest(h.ctx, AskedPlan, errors.New("no cloud")))
	result, err := h.db.RunResult(h.ctx, AskedPlan, asked)
	require.NoError(t, err)
	require.NotNil(t, result)
	assert.Equal(t, "no cloud", result.Outcome)
	again, err := h.db.BeginRun(h.ctx, term)
	require.NoError(t, err)
	assert.Empty(t, again.Asked)
}

// A run that a leader died of is not begun again at once; a new request is.
func TestBegunRequestIsBegunAgainOnlyLater(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	term := h.lead("first").Term
	wanted := func() bool {
		is, err := h.db.Requested(h.ctx)
		require.NoError(t, err)
		run, err := h.db.BeginRun(h.ctx, term)
		require.NoError(t, err)
		_, has := run.Asked[AskedPlan]
		require.Equal(t, is, has)
		return is
	}
	ask := func() {
		_, err := h.db.AskForRun(h.ctx, AskedPlan)
		require.NoError(t, err)
	}
	assert.False(t, wanted())
	ask()
	assert.True(t, wanted())
	run, err := h.db.BeginRun(h.ctx, term)
	require.NoError(t, err)
	require.NoError(t, run.BeginRequest(h.ctx, AskedPlan))
	assert.False(t, wanted())
	h.clock.Step(6 * time.Minute)
	assert.True(t, wanted())
	require.NoError(t, run.BeginRequest(h.ctx, AskedPlan))
	assert.False(t, wanted())
	ask()
	assert.True(t, wanted())
}

// A locked table of requests delays no heartbeat and ends no leadership.
func TestHeartbeatsDoNotDependOnRequests(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	lead := h.lead("first")
	h.exec(`DROP TABLE run_requests`)
	lost, sent := make(chan error, 1), make(chan struct{}, 100)
	stop := lead.Keep(h.ctx, func(ctx context.Context) {
		_, err := h.db.Requested(ctx)
		assert.Error(t, err)
		sent <- struct{}{}
	}, func(err error) { lost <- err })
	defer stop()
	testkit.Eventually(t, "a second heartbeat", time.Minute, func() bool { return len(sent) > 1 })
	require.Empty(t, lost)
}
