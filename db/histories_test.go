package db

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// histories returns the IDs of each volume's records as a plan reads them.
func (h *harness) histories() (volumes []string, records map[string][]string) {
	h.t.Helper()
	records = map[string][]string{}
	for of, err := range h.run().Histories(h.ctx, nil) {
		require.NoError(h.t, err)
		id := of[0].VolumeID
		volumes = append(volumes, id)
		for i, r := range of {
			assert.Equal(h.t, id, r.VolumeID, "one volume at a time")
			if i > 0 {
				assert.False(h.t, r.PlannedAt.After(of[i-1].PlannedAt), "newest first")
			}
			records[id] = append(records[id], r.ID)
		}
	}
	return volumes, records
}

func incremental(backupID string, age time.Duration) row {
	return point(backupID, age).with(row{"kind": "incremental"})
}

func TestHistoryBeginsAtTheNewestAvailableFull(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("old full", point("b1", 9*hour))
	h.record("old incremental", incremental("b2", 8*hour))
	h.record("full", point("b3", 7*hour))
	h.record("incremental", incremental("b4", 6*hour))
	h.record("lost", incremental("b5", 5*hour).with(row{"state": "lost"}))
	h.record("full on its way out", point("b6", 4*hour).with(removing).with(row{"state": "deleting"}))
	h.record("withdrawn", shapes["withdrawn"].with(row{"planned_at": base.Add(-3 * hour)}))
	h.record("failed", shapes["failed"].with(row{"planned_at": base.Add(-2 * hour)}))
	h.record("planned", shapes["planned"])
	_, records := h.histories()
	want := []string{"planned", "failed", "full on its way out", "lost", "incremental", "full"}
	assert.Equal(t, map[string][]string{"v": want}, records)
	leased, err := h.lease("v").Records(h.ctx)
	require.NoError(t, err)
	assert.ElementsMatch(t, want, ids(leased), "a worker decides on the same")
}

func TestHistoriesAreGroupedByVolumeInOrder(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, id := range []string{"c", "a", "d", "b"} {
		h.volume(id, nil)
	}
	for i := range 9 {
		id := []string{"a", "b", "c"}[i%3]
		h.record(fmt.Sprint(i), incremental(fmt.Sprint("b", i), time.Duration(9-i)*hour).with(row{"volume_id": id}))
	}
	volumes, records := h.histories()
	assert.Equal(t, []string{"a", "b", "c"}, volumes, "d has no records")
	assert.Equal(t, map[string][]string{"a": {"6", "3", "0"}, "b": {"7", "4", "1"}, "c": {"8", "5", "2"}}, records)
}

func TestHistoryIgnoresFullsOfOtherProjects(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"project_id": "new owner"})
	h.record("mine", point("b1", 9*hour).with(row{"project_id": "new owner"}))
	h.record("theirs", point("b2", 8*hour))
	h.record("mine too", incremental("b3", 7*hour).with(row{"project_id": "new owner"}))
	_, records := h.histories()
	assert.Equal(t, []string{"mine too", "theirs", "mine"}, records["v"])
}

// generate writes n records of the volume, one per hour, newest first.
func (h *harness) generate(volumeID, state, kind string, n int) {
	h.t.Helper()
	h.exec(`
		INSERT INTO records (id, project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind,
			retention, planned_at, changed_at, available_at, ended_at, data_timestamp, backup_id, reason)
		SELECT $1 || ' ' || i, 'p', 'one', 's', 'web', $1, 'disk', 'az', 10, false, $2, $3, '14 days', at, at,
			CASE WHEN $2 <> 'failed' THEN at END, at, CASE WHEN $2 <> 'failed' THEN at END, CASE WHEN $2 <> 'failed' THEN 'b ' || $1 || i END, 'r'
		FROM generate_series(1, $4::int) AS i, LATERAL (SELECT $5::timestamptz - i * interval '1 hour' AS at) AS t`,
		volumeID, state, kind, n, base)
}

func TestHistoryWithoutAFullIsBounded(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.generate("v", "failed", "full", 500)
	_, records := h.histories()
	require.Len(t, records["v"], 16)
	assert.Equal(t, "v 1", records["v"][0])
	assert.Equal(t, "v 16", records["v"][15])
}

// A chain may be as long as FULL_BACKUP_DEPTH allows. Without its full, each decision would find no parent and create a full.
func TestHistoryOfALongChainIncludesItsFull(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.generate("v", "available", "incremental", 450)
	h.record("full", point("b", 451*hour))
	_, records := h.histories()
	require.Len(t, records["v"], 451)
	assert.Equal(t, "full", records["v"][450])
}

func TestHistoryIncludesRecordInProgressAfterClockWentBack(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("full", point("b", hour))
	h.record("planned", shapes["planned"].with(row{"planned_at": base.Add(-2 * hour)}))
	_, records := h.histories()
	assert.Equal(t, []string{"full", "planned"}, records["v"])
}

func TestHistoriesReleasesTheConnectionAfterBreak(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for i := range 20 {
		h.volume(fmt.Sprint(i), nil)
		h.generate(fmt.Sprint(i), "available", "full", 5)
	}
	for range 20 { // more often than the pool has connections
		for records, err := range h.run().Histories(h.ctx, nil) {
			require.NoError(t, err)
			assert.NotEmpty(t, records)
			break
		}
	}
	assert.Zero(t, h.db.pool.Stat().AcquiredConns())
	volumes, _ := h.histories()
	assert.Len(t, volumes, 20)
}

func TestLinksReturnsRecordsThatMayBeInCinder(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.volume("other", nil)
	for _, shape := range shapeNames() {
		if !stateOf(shape).InProgress() {
			h.record(shape, shapes[shape].with(unique(shapes[shape], shape)))
		}
	}
	h.record("planned", shapes["planned"])
	h.record("stranger", point("b", hour).with(row{"volume_id": "other"}))
	want := []string{"available", "deleting", "leftover", "leftover deleting", "lost", "planned", "undeletable"}
	links, err := h.lease("v").Links(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, want, ids(links))
}
