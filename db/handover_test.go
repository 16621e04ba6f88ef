package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func (h *house) work() map[string]Work {
	h.t.Helper()
	all, err := h.beat().AtWork(h.ctx)
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

func TestWhatIsAtWorkIsWhatLiesBetweenPlanAndEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
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
		"deleting":          {State: backup.Deleting, Requested: true, Deadline: &deadline, BackupID: "b-deleting", DeletionAskedAt: &deletion},
		"leftover deleting": {State: backup.Deleting, Requested: true, Deadline: &deadline, BackupID: "b-leftover deleting", DeletionAskedAt: &deletion},
		"undeletable":       {State: backup.Undeletable, Requested: true, Deadline: &deadline, NextTryAt: &next, BackupID: "b-undeletable", DeletionAskedAt: &deletion},
		"leftover":          {State: backup.Failed, Requested: true, Deadline: &deadline, BackupID: "b-leftover"},
	} {
		w.VolumeID, w.RecordID = "v-"+shape, shape
		want[w.VolumeID+"/"+w.RecordID] = w
	}
	assert.Equal(t, want, h.work())
}

func TestWorkTellsOfLeases(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.plan("r", shapes["planned"])
	h.volume("due", row{"removal_due_at": base})
	released, leased := h.claim("v-r"), h.claim("due")
	for _, w := range h.work() {
		assert.True(t, w.Leased)
		assert.False(t, w.Abandoned)
	}
	require.NoError(t, released.Release(h.ctx))
	h.clock.Set(leased.Until)
	work := h.work()
	assert.Equal(t, Work{VolumeID: "due", Abandoned: true}, work["due/"])
	assert.Equal(t, Work{VolumeID: "v-r", RecordID: "r", State: backup.Planned}, work["v-r/r"])
}

func TestAVolumeCanBeAtWorkForMoreThanOneReason(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", row{"removal_due_at": base})
	h.record("leftover", shapes["leftover"])
	h.record("planned", shapes["planned"])
	work := h.work()
	assert.Len(t, work, 3)
	for _, key := range []string{"v/", "v/leftover", "v/planned"} {
		assert.Contains(t, work, key)
	}
}

func TestARemovalIsDueFromItsMarkToItsEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.volume("v", nil)
	h.volume("w", nil)
	b := h.beat()
	lines := h.changes(func() { require.NoError(t, b.RemovalDue(h.ctx, []string{"v", "unheard of"})) })
	assert.Equal(t, []string{"volumes v removal_due_at: null -> now"}, lines)
	h.clock.Step(time.Minute)
	h.changesNothing(func() { require.NoError(t, h.beat().RemovalDue(h.ctx, []string{"v"})) })
	c := h.claim("v")
	lines = h.changes(func() { require.NoError(t, c.RemovalDone(h.ctx)) })
	assert.Equal(t, []string{"volumes v removal_due_at: -1m0s -> null"}, lines)
}

func TestStandingCountsWhatHasNoEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, shape := range shapeNames() {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	counts, err := h.beat().Standing(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, map[backup.State]int{
		backup.Planned: 1, backup.Creating: 3, backup.Overdue: 1, backup.Deleting: 2, backup.Undeletable: 1,
	}, counts)
}
