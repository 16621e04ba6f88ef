package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuotaFreedReturnsRecentRemovals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	removed := func(id, project string, ago time.Duration) {
		h.record(id, shapes["deleted"].with(row{"project_id": project, "backup_id": "b " + id, "changed_at": base.Add(-ago)}))
	}
	removed("1", "one", 3*hour)
	removed("2", "one", 2*hour)
	removed("3", "two", hour)
	removed("4", "long ago", 7*hour)
	h.record("there", point("b", hour).with(row{"project_id": "three"}))

	all, err := h.run().QuotaFreed(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, map[string]time.Time{"one": base.Add(-2 * hour), "two": base.Add(-hour)}, all)
	h.inSnapshot(func(l *Snapshot) {
		mine, err := l.QuotaFreed(h.ctx, []string{"one"})
		require.NoError(t, err)
		assert.Equal(t, map[string]time.Time{"one": base.Add(-2 * hour)}, mine)
	})
}
