package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// The finding dates the last restore point in SQL, the notice by [backup.LastGoes].
func TestFindingAndNoticeAgreeWhenTheLastRestorePointGoes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", row{"protected": false, "retention": "3 days"})
	h.record("old", point("b1", 2*24*hour))
	h.record("new", point("b2", 24*hour))
	h.ended("v", "p", base.Add(-time.Hour), "metadata")
	_, err := h.beat().Notify(h.ctx, hour)
	require.NoError(t, err)
	one := h.notices("p")[0]
	for _, grace := range []time.Duration{0, hour, 2*24*hour + hour, 2*24*hour + 2*hour, 9 * 24 * hour} {
		for _, floor := range []int{0, 1, 5} {
			h.exec(`DELETE FROM findings`)
			_, err := h.beat().FoundEnds(h.ctx, grace, floor, true)
			require.NoError(t, err)
			goes := backup.LastGoes(*one.LastEnd, one.Content.Since, floor, grace)
			assert.Contains(t, h.details()["protection_ended v p"], "goes on "+goes.UTC().Format("2006-01-02 15:04")+" UTC", "grace %s, floor %d", grace, floor)
		}
	}
}
