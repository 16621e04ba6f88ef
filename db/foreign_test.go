package db

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// A reconcile run records on which restore points foreign backups build, directly or through others, and when that is over.
func TestForeignDependentsAreRecordedAndCleared(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	theirs := func(id, volume string, incremental bool, days int) backup.Backup {
		at := base.AddDate(0, 0, -days)
		return backup.Backup{ID: id, VolumeID: volume, ProjectID: "p", Status: backup.StatusAvailable, Incremental: incremental, DataTimestamp: at, CreatedAt: at}
	}
	for _, v := range []string{"v", "w", "x"} {
		h.volume(v, nil)
	}
	ours := func(id, volume, kind string, days int) {
		h.record(id, point(id, base.Sub(base.AddDate(0, 0, -days))).with(row{"volume_id": volume, "kind": kind}))
	}
	ours("full", "v", "full", 9)
	ours("below", "v", "incremental", 8)
	ours("above", "v", "incremental", 6)
	ours("newer", "v", "full", 5)
	ours("alone", "w", "full", 9)
	ours("under-their-full", "x", "full", 9)
	why := func() map[string]string {
		marked := map[string]string{}
		for _, r := range []string{"full", "below", "above", "newer", "alone", "under-their-full"} {
			if reason := h.read(r).RemovalReason; reason != "" {
				marked[r] = string(reason)
			}
		}
		return marked
	}
	foreign := []backup.Backup{theirs("i", "v", true, 7), theirs("own-full", "x", false, 4), theirs("own-incremental", "x", true, 3), theirs("newer", "v", true, 4)}
	links := map[string][]backup.Link{}
	for _, one := range foreign {
		links[one.VolumeID] = append(links[one.VolumeID], backup.LinkOf(one, nil, backup.Retention{}))
	}
	require.NoError(t, h.run().RecordForeignDependents(h.ctx, links))
	assert.Equal(t, map[string]string{"full": "foreign_dependent", "below": "foreign_dependent"}, why(), "the last of them got a record since it was listed")
	h.changesNothing(func() { require.NoError(t, h.run().RecordForeignDependents(h.ctx, links)) })
	require.NoError(t, h.run().RecordForeignDependents(h.ctx, nil))
	assert.Empty(t, why())
}

// A refused removal counts until Cinder reports no dependents.
func TestSeenEndsARefusalBecauseOfDependents(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("r", point("b1", 9*24*hour).with(row{"removal_reason": "has_dependents"}))
	see := func(dependents bool) backup.Reason {
		_, err := h.run().Seen(h.ctx, []backup.Backup{{ID: "b1", Status: "available", HasDependents: dependents}})
		require.NoError(t, err)
		return h.read("r").RemovalReason
	}
	assert.Equal(t, backup.HasDependents, see(true))
	assert.True(t, h.read("r").HasForeignDependent())
	assert.Empty(t, see(false))
}
