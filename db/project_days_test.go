package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sumOutcomes returns the number of outcomes by reason, added up over projects.
func sumOutcomes(all []Outcome) map[string]int {
	sum := map[string]int{}
	for _, o := range all {
		sum[string(o.Reason)] += o.N
	}
	return sum
}

// Counted days have the same sums as the records: before any day was counted, after it, after another day has passed, and when
// the counted days are all that is left. A restore point that was removed since counts on the days on which it existed.
func TestCountedDaysMatchTheRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	today := base.Truncate(day)
	ended := func(id string, project string, at time.Time, more row) {
		h.record(id, point("b-"+id, base.Sub(at)).with(row{"project_id": project, "project_name": project}).with(more))
	}
	ended("old", "p", today.Add(-40*day), nil)
	ended("a", "p", today.Add(-5*day), nil) // at the beginning of a day
	ended("b", "p", today.Add(-5*day+time.Hour), row{"size_gib": 30})
	ended("c", "q", today.Add(-2*day), nil)
	ended("gone", "p", today.Add(-6*day), row{"state": "deleted", "changed_at": today.Add(-4*day + hour)})
	ended("lost", "q", today.Add(-3*day), row{"state": "lost", "changed_at": today.Add(-3*day + hour)})
	ended("removing", "p", today.Add(-6*day), row{"state": "deleting", "changed_at": today.Add(-day + hour), "deletion_requested_at": today.Add(-day + hour)})
	ended("broken", "p", today.Add(-6*day), row{"cinder_status": "error"})
	failed := row{"available_at": nil, "data_timestamp": nil, "state": "failed", "reason": "quota_exceeded"}
	ended("f1", "p", today.Add(-2*day), failed)
	ended("f2", "p", today.Add(-2*day), failed.with(row{"backup_id": nil, "reason": "volume_status"}))
	ended("f3", "q", today.Add(time.Minute), failed.with(row{"backup_id": nil}))
	h.record("withdrawn", row{"state": "withdrawn", "reason": "volume_gone", "ended_at": today.Add(-day)})
	month := today.AddDate(0, 0, -29)
	compare := func() {
		t.Helper()
		h.inSnapshot(func(l *Snapshot) {
			for _, project := range []string{"", "p", "q", "nobody's"} {
				records, err := l.Outcomes(h.ctx, project, month)
				require.NoError(t, err)
				days, err := l.OutcomesByDay(h.ctx, project, month)
				require.NoError(t, err)
				assert.Equal(t, sumOutcomes(records), sumOutcomes(days), project)
			}
		})
	}
	compare()
	require.NoError(t, h.run().CountDays(h.ctx))
	compare()
	h.inSnapshot(func(l *Snapshot) {
		days, err := l.OutcomesByDay(h.ctx, "", month)
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"": 7, "quota_exceeded": 2, "volume_status": 1}, sumOutcomes(days))
		stored, err := l.StoredDays(h.ctx, "p", today.Add(-7*day))
		require.NoError(t, err)
		assert.Equal(t, []StoredDay{
			{today.Add(-7 * day), 1, 10},
			{today.Add(-6 * day), 3, 30},
			{today.Add(-5 * day), 5, 70},
			{today.Add(-4 * day), 4, 60},
			{today.Add(-3 * day), 4, 60},
			{today.Add(-2 * day), 4, 60},
			{today.Add(-day), 3, 50},
			{today, 3, 50},
		}, stored)
		all, err := l.StoredDays(h.ctx, "", today)
		require.NoError(t, err)
		assert.Equal(t, []StoredDay{{today, 4, 60}}, all)
		projects, err := l.ProjectStorages(h.ctx, today.Add(-2*day))
		require.NoError(t, err)
		assert.ElementsMatch(t, []ProjectStorage{
			{Project{"p", "p"}, 3, 50, today.Add(-2 * day), 60}, {Project{"q", "q"}, 1, 10, today.Add(-2 * day), 10},
		}, projects)
	})
	rows := h.count(`SELECT count(*) FROM project_days`)
	require.NoError(t, h.run().CountDays(h.ctx))
	assert.Equal(t, rows, h.count(`SELECT count(*) FROM project_days`), "counted again, not twice")

	h.exec(`DELETE FROM records WHERE ended_at < $1`, today)
	h.inSnapshot(func(l *Snapshot) {
		days, err := l.OutcomesByDay(h.ctx, "", month)
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"": 7, "quota_exceeded": 2, "volume_status": 1}, sumOutcomes(days), "forgotten records remain counted")
	})
	require.NoError(t, h.run().ForgetDays(h.ctx, today))
	assert.Equal(t, 2, h.count(`SELECT count(*) FROM project_days`))
}

// A run of an old term counts nothing.
func TestOldTermCountsNoDays(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	b := h.run()
	h.exec(`UPDATE leadership SET term = term + 1`)
	h.changesNothing(func() { require.ErrorIs(t, b.CountDays(h.ctx), ErrLostLeadership) })
}
