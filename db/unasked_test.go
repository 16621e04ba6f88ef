package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// A policy that no longer calls the delete check is detected by removals without a recorded request. An allowed request about
// any backup shows that Cinder still calls it.
func TestUnaskedReturnsRemovalsWithoutADeleteCheck(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	lost := row{"state": "lost", "reason": "removed_by_others", "last_seen_at": base.Add(-6 * hour), "changed_at": base}
	h.record("old", point("b1", 24*hour).with(lost).with(row{"changed_at": base.Add(-hour)}))
	h.record("new", point("b2", 24*hour).with(lost))
	h.record("there", point("b3", 24*hour))
	h.record("purged", point("b4", 24*hour).with(lost).with(row{"reason": "project_gone"}))
	asked := func(first, last time.Time) {
		h.exec(`DELETE FROM delete_checks`)
		h.exec(`INSERT INTO delete_checks (hour, outcome, judgement, verified, user_id, project_id, roles, backup_id, asked, first_at, last_at)
			VALUES (date_trunc('hour', $1::timestamptz), 'allowed', 'not_ours', true, 'u', 'p', '', '', 1, $1, $2)`, first, last)
	}
	found := func() []string {
		all, err := h.run().UncheckedRemovals(h.ctx)
		require.NoError(t, err)
		details := []string{}
		for _, f := range all {
			assert.Equal(t, backup.CheckNotAsked, f.Reason)
			assert.Empty(t, f.ProjectID, "the operator's")
			details = append(details, f.Detail)
		}
		return details
	}
	two := []string{"2, the newest backup b2 of volume disk (v), which went between 2029-12-31T18:00:00Z and 2030-01-01T00:00:00Z"}
	assert.Equal(t, two, found())
	asked(base.Add(-7*hour), base.Add(-6*hour-time.Second))
	assert.Equal(t, two, found(), "it asked before, and stopped")
	asked(base.Add(time.Second), base.Add(time.Minute))
	assert.Equal(t, two, found(), "it asks again since")
	asked(base.Add(-30*time.Minute), base.Add(-30*time.Minute))
	assert.Equal(t, []string{"1, the newest backup b1 of volume disk (v), which went between 2029-12-31T18:00:00Z and 2029-12-31T23:00:00Z"}, found())
	asked(base.Add(-3*hour), base.Add(-3*hour))
	assert.Empty(t, found())
	h.exec(`DELETE FROM delete_checks`)
	h.clock.Set(base.Add(7 * day))
	assert.Empty(t, found(), "a week ago")
}
