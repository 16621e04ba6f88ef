package db

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A plan reads gone volumes only if they are listed again. A gone volume is deleted after the history time, once it has no
// records. One that was never protected is deleted at once.
func TestGoneVolumesAreNotReadAndAreDeletedWithTheHistory(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("here", nil)
	h.volume("lately", row{"gone_at": base.Add(-day)})
	h.volume("long ago", row{"gone_at": base.Add(-3 * day)})
	h.volume("long ago, with a backup", row{"gone_at": base.Add(-3 * day)})
	h.record("r", point("b", 4*day).with(row{"volume_id": "long ago, with a backup"}))
	h.volume("never protected", row{"gone_at": base.Add(-hour), "protected": false, "retention": nil, "retention_source": nil})

	known, err := h.run().Volumes(h.ctx)
	require.NoError(t, err)
	assert.Len(t, known, 1, "read by each plan")
	again, err := h.run().GoneVolumes(h.ctx, []string{"lately", "here"})
	require.NoError(t, err)
	assert.Len(t, again, 1, "it is listed again")

	forget := func(before *time.Time, left ...string) {
		t.Helper()
		require.NoError(t, h.run().ForgetGone(h.ctx, before))
		var ids []string
		for id := range h.volumes() {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		assert.Equal(t, left, ids)
	}
	forget(nil, "here", "lately", "long ago", "long ago, with a backup") // the history is kept for ever
	forget(new(base.Add(-2*day)), "here", "lately", "long ago, with a backup")
	h.exec(`DELETE FROM records`)
	forget(new(base.Add(-2*day)), "here", "lately")
}
