package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func (h *harness) work() map[string]Work {
	h.t.Helper()
	all, err := h.run().AtWork(h.ctx)
	require.NoError(h.t, err)
	work := map[string]Work{}
	for i, w := range all {
		if i > 0 {
			assert.LessOrEqual(h.t, all[i-1].VolumeID, w.VolumeID, "in the volumes' order")
		}
		work[w.VolumeID+"/"+w.RecordID] = w
	}
	require.Len(h.t, work, len(all))
	return work
}

func TestAtWorkReturnsUnfinishedAdmittedRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, shape := range shapeNames() {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	h.plan("not admitted", nil)
	deadline, next, deletion := base.Add(5*hour), base, base.Add(-hour)
	want := map[string]Work{}
	for shape, w := range map[string]Work{
		"planned":           {State: backup.Planned},
		"resting":           {State: backup.Creating, Requested: true, Deadline: &deadline, NextTryAt: &next},
		"asked":             {State: backup.Creating, Requested: true, Deadline: &deadline},
		"creating":          {State: backup.Creating, Requested: true, Deadline: &deadline, BackupID: "b-creating"},
		"overdue":           {State: backup.Overdue, Requested: true, Deadline: &deadline, BackupID: "b-overdue"},
		"deleting":          {State: backup.Deleting, Requested: true, Deadline: &deadline, BackupID: "b-deleting", DeletionRequestedAt: &deletion},
		"leftover deleting": {State: backup.Deleting, Requested: true, Deadline: &deadline, BackupID: "b-leftover deleting", DeletionRequestedAt: &deletion},
		"undeletable":       {State: backup.Undeletable, Requested: true, Deadline: &deadline, NextTryAt: &next, BackupID: "b-undeletable", DeletionRequestedAt: &deletion},
		"leftover":          {State: backup.Failed, Requested: true, Deadline: &deadline, BackupID: "b-leftover"},
	} {
		w.VolumeID, w.RecordID, w.StillSince = "v-"+shape, shape, base.Add(-hour)
		if w.NextTryAt != nil {
			w.StillSince = *w.NextTryAt
		}
		want[w.VolumeID+"/"+w.RecordID] = w
	}
	assert.Equal(t, want, h.work())
}

func TestAtWorkReportsLeases(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.plan("r", shapes["planned"])
	h.volume("due", row{"removal_due_at": base})
	released, leased := h.lease("v-r"), h.lease("due")
	for _, w := range h.work() {
		assert.True(t, w.Leased)
		assert.False(t, w.Abandoned)
	}
	require.NoError(t, released.Release(h.ctx))
	h.clock.Set(leased.Until)
	work := h.work()
	assert.Equal(t, Work{VolumeID: "due", Abandoned: true, StillSince: base}, work["due/"])
	assert.Equal(t, Work{VolumeID: "v-r", RecordID: "r", State: backup.Planned, StillSince: base.Add(-hour)}, work["v-r/r"])
}

// Failures that only waiting can fix postpone all removals of the volume, and nothing else.
func TestRemovalLaterPostponesOnlyRemovals(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"removal_due_at": base})
	for _, shape := range []string{"planned", "deleting", "leftover", "undeletable"} {
		h.record(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	c := h.lease("v")
	again := base.Add(5 * time.Minute)
	lines := h.changes(func() { require.NoError(t, c.RemovalLater(h.ctx, again)) })
	assert.Equal(t, []string{"volumes v removal_failures: 0 -> 1", "volumes v removal_next_try_at: null -> +5m0s"}, lines)
	work := h.work()
	for _, key := range []string{"v/", "v/deleting", "v/leftover", "v/undeletable"} {
		require.NotNil(t, work[key].NextTryAt, key)
		assert.Equal(t, again, work[key].NextTryAt.UTC(), key)
		assert.Equal(t, again, work[key].StillSince.UTC(), key)
	}
	assert.Nil(t, work["v/planned"].NextTryAt)
	assert.Equal(t, base.Add(-hour), work["v/planned"].StillSince.UTC())
	v, err := c.Volume(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, v.RemovalFailures)
	lines = h.changes(func() { require.NoError(t, c.RemovalDone(h.ctx)) })
	assert.Equal(t, []string{
		"volumes v removal_due_at: now -> null", "volumes v removal_failures: 1 -> 0", "volumes v removal_next_try_at: +5m0s -> null",
	}, lines)
	h.clock.Set(c.Until)
	h.changesNothing(func() { require.ErrorIs(t, c.RemovalLater(h.ctx, again), ErrStale) })
}

func TestAtWorkReturnsSeveralItemsOfOneVolume(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"removal_due_at": base})
	h.record("leftover", shapes["leftover"])
	h.record("planned", shapes["planned"])
	work := h.work()
	assert.Len(t, work, 3)
	for _, key := range []string{"v/", "v/leftover", "v/planned"} {
		assert.Contains(t, work, key)
	}
}

func TestRemovalDueLastsUntilRemovalDone(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.volume("w", nil)
	b := h.run()
	lines := h.changes(func() { require.NoError(t, b.RemovalDue(h.ctx, []string{"v", "unheard of"})) })
	assert.Equal(t, []string{"volumes v removal_due_at: null -> now"}, lines)
	h.clock.Step(time.Minute)
	h.changesNothing(func() { require.NoError(t, h.run().RemovalDue(h.ctx, []string{"v"})) })
	c := h.lease("v")
	lines = h.changes(func() { require.NoError(t, c.RemovalDone(h.ctx)) })
	assert.Equal(t, []string{"volumes v removal_due_at: -1m0s -> null"}, lines)
}

func TestUnfinishedCountsByStateAndWait(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, shape := range shapeNames() {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	for _, held := range []backup.Held{"", backup.HeldByProject, backup.HeldByForcedFulls, backup.Held(backup.WhileOutage), backup.Held(backup.WhileAway), backup.HeldByPause} {
		h.plan("held "+string(held), row{"held": string(held)})
	}
	counts, waits, err := h.run().Unfinished(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, map[backup.State]int{
		backup.Planned: 7, backup.Creating: 3, backup.Overdue: 1, backup.Deleting: 2, backup.Undeletable: 1,
	}, counts)
	assert.Equal(t, map[backup.WaitCode]int{
		backup.WaitWorker: 1, backup.WaitDispatch: 1, backup.WaitCap: 2, backup.WaitService: 1, backup.WaitThrottle: 1, backup.WaitPause: 1,
	}, waits)
}
