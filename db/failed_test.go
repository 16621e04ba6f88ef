package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// A failed attempt remains in the list of failures and in the count of its day, whatever becomes of what it left in Cinder; a
// restore point that was removed or lost is none.
func TestFailedAttemptsStayInListsAndCounts(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("nothing left", shapes["failed"])
	for _, state := range []string{"failed", "deleting", "deleted", "undeletable"} {
		h.record("left "+state, leftover.with(row{"state": state, "backup_id": "b-" + state, "removal_reason": "failed_leftover"}))
	}
	h.record("removed point", shapes["deleted"].with(row{"backup_id": "b-point"}))
	h.record("lost point", shapes["lost"].with(row{"backup_id": "b-lost"}))
	h.record("withdrawn", shapes["withdrawn"])
	h.inSnapshot(func(l *Snapshot) {
		records, err := l.Backups(h.ctx, Filter{States: []string{"failed"}})
		require.NoError(t, err)
		assert.Equal(t, []string{"left deleted", "left deleting", "left failed", "left undeletable", "nothing left"}, ids(records))
		for _, r := range records {
			assert.NotEqual(t, backup.FailedLeftover, r.Reason, "the reason is that of the failure")
		}
		records, err = l.Backups(h.ctx, Filter{States: []string{"deleted", "lost"}})
		require.NoError(t, err)
		assert.Equal(t, []string{"lost point", "removed point"}, ids(records))
		days, err := l.Days(h.ctx, "", "v", base.AddDate(0, 0, -1))
		require.NoError(t, err)
		require.NotEmpty(t, days)
		assert.Equal(t, Day{days[0].Date, 2, 5, 1}, days[0])
	})
}

// A manual backup that fails before Cinder is asked for it has the plan's time of the grid, which may be before older backups.
func TestManualAttemptIsSortedAndShownByWhenItHappened(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("success", point("b", 30*time.Minute).with(row{"planned_at": base.Add(-25 * time.Minute)}))
	h.record("manual", row{
		"state": "failed", "manual": true, "planned_at": base.Add(-hour), "created_at": base.Add(-5 * time.Minute), "ended_at": base.Add(-time.Minute),
		"reason": "quota_exceeded",
	})
	h.inSnapshot(func(l *Snapshot) {
		records, err := l.Backups(h.ctx, Filter{})
		require.NoError(t, err)
		assert.Equal(t, []string{"manual", "success"}, []string{records[0].ID, records[1].ID})
		assert.Equal(t, base.Add(-5*time.Minute), records[0].HappenedAt().UTC())
		failures, err := l.Failures(h.ctx)
		require.NoError(t, err)
		assert.Equal(t, []string{"manual"}, ids(failures), "although its plan is older than that of the success")
		late, err := l.Lateness(h.ctx, backup.RPO{Due: time.Minute}, "")
		require.NoError(t, err)
		require.Len(t, late, 1)
		assert.Equal(t, backup.QuotaExceeded, late[0].Failure)
	})
	h.record("again", point("b2", 0).with(row{"planned_at": base.Add(-2 * hour)}))
	h.inSnapshot(func(l *Snapshot) {
		failures, err := l.Failures(h.ctx)
		require.NoError(t, err)
		assert.Empty(t, failures, "a later success made it good, whatever the times of their plans")
	})
}

// Forecasts use how long Cinder worked on the backups, not when we looked.
func TestLoadCountsTheDurationsOfTheBackups(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("made", point("b", 2*hour).with(row{"ended_at": base, "available_at": base, "started_at": base.Add(-2 * hour), "finished_at": base.Add(-110 * time.Minute)}))
	h.record("unknown", point("b2", 3*hour))
	h.inSnapshot(func(l *Snapshot) {
		loads, err := l.Loads(h.ctx)
		require.NoError(t, err)
		require.Len(t, loads, 1)
		assert.Equal(t, 10*time.Minute, *loads[0].Average)
	})
}
