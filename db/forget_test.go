package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHistoryIsForgottenAfterItsTimeAndWhatCinderHoldsNever(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, shape := range shapeNames() {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	h.changesNothing(func() {
		n, err := h.beat().Forget(h.ctx, base.Add(-hour))
		require.NoError(t, err)
		assert.Zero(t, n)
	})
	lines := h.changes(func() {
		n, err := h.beat().Forget(h.ctx, base.Add(-hour+time.Microsecond))
		require.NoError(t, err)
		assert.Equal(t, 3, n)
	})
	assert.Equal(t, []string{"- records deleted", "- records failed", "- records withdrawn"}, lines)
}

// What was kept for a year and removed today is remembered from today on.
func TestHistoryCountsFromTheRemoval(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", nil)
	r := h.record("r", point("b", 365*day).with(removing).with(row{"state": "deleting"}))
	_, err := h.claim("v").Removed(h.ctx, r)
	require.NoError(t, err)
	n, err := h.beat().Forget(h.ctx, base.Add(-day))
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestAllOfAnOldHistoryIsForgottenAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", nil)
	h.generate("v", "deleted", "full", forgetAtOnce+1)
	n, err := h.beat().Forget(h.ctx, base)
	require.NoError(t, err)
	assert.Equal(t, forgetAtOnce+1, n)
}
