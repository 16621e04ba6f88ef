package db

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestForgetKeepsRecordsWithBackupsInCinder(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, shape := range shapeNames() {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	h.changesNothing(func() {
		n, err := h.run().Forget(h.ctx, base.Add(-hour))
		require.NoError(t, err)
		assert.Zero(t, n)
	})
	lines := h.changes(func() {
		n, err := h.run().Forget(h.ctx, base.Add(-hour+time.Microsecond))
		require.NoError(t, err)
		assert.Equal(t, 4, n)
	})
	assert.Equal(t, []string{"- records deleted", "- records failed", "- records lost", "- records withdrawn"}, lines)
}

// A gap in a chain is kept for as long as incrementals depend on it: without it the chain would seem complete.
func TestForgetKeepsLostParentsOfIncrementals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("full", point("b1", 9*day))
	h.record("gap", point("b2", 8*day).with(row{"kind": "incremental", "state": "lost"}))
	h.record("above", point("b3", 7*day).with(row{"kind": "incremental"}))
	h.record("next full", point("b4", 6*day))
	h.record("its own", point("b5", 5*day).with(row{"kind": "incremental"}))
	h.record("elsewhere", point("b6", 7*day).with(row{"kind": "incremental", "project_id": "q"}))
	forget := func() (n int) {
		n, err := h.run().Forget(h.ctx, base.Add(-day))
		require.NoError(t, err)
		return n
	}
	assert.Zero(t, forget())
	h.exec(`UPDATE records SET state = 'deleted' WHERE id = 'above'`)
	assert.Equal(t, 2, forget(), "what depends on the next full does not depend on the gap")
	assert.Equal(t, []string{"elsewhere", "full", "its own", "next full"}, strings.Split(h.text(`SELECT string_agg(id, ',' ORDER BY id) FROM records`), ","))
}

// A restore point that was kept for a year and removed today is kept in the history from today on.
func TestHistoryTimeBeginsAtTheRemoval(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	r := h.record("r", point("b", 365*day).with(removing).with(row{"state": "deleting"}))
	_, err := h.lease("v").Removed(h.ctx, r)
	require.NoError(t, err)
	n, err := h.run().Forget(h.ctx, base.Add(-day))
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestForgetDeletesMoreThanOneBatch(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.generate("v", "deleted", "full", forgetAtOnce+1)
	n, err := h.run().Forget(h.ctx, base)
	require.NoError(t, err)
	assert.Equal(t, forgetAtOnce+1, n)
}
