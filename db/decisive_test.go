package db

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// randomHistory writes a random history of the volume, oldest first: complete chains, and long series of failures.
func (h *harness) randomHistory(random *rand.Rand, volume string) {
	h.t.Helper()
	age, states := -20*time.Minute, []string{"available", "available", "available", "deleted", "lost", "deleting", "leftover", "undeletable", "failed", "withdrawn"}
	reasons := []string{"quota_exceeded", "backup_error", "volume_status", "volume_not_ready", "throttled"}
	for i := 0; i < 30; {
		state, reason, times := states[random.IntN(len(states))], reasons[random.IntN(len(reasons))], 1
		if i == 0 && random.IntN(3) > 0 { // most histories end with a failure
			state = "failed"
		}
		if state == "failed" && random.IntN(2) == 0 {
			times = 1 + random.IntN(40)
		}
		for range times {
			i++
			age += time.Duration(2+random.IntN(3)) * 10 * time.Minute
			shape := shapes[state].with(unique(shapes[state], fmt.Sprint(volume, "-", i)))
			at := base.Add(-age)
			shape = shape.with(row{"volume_id": volume, "planned_at": at, "changed_at": at, "ended_at": at, "reason": reason, "kind": []string{"full", "incremental"}[random.IntN(2)]})
			for _, date := range []string{"requested_at", "available_at", "data_timestamp", "cinder_timestamp"} {
				if shape[date] != nil {
					shape[date] = at
				}
			}
			if (state == "deleted" || state == "undeletable") && random.IntN(2) == 0 { // a removed leftover
				shape = shape.with(row{"available_at": nil, "data_timestamp": nil})
			}
			if random.IntN(9) == 0 {
				shape["project_id"] = "the owner before"
			}
			if random.IntN(9) == 0 && shape["cinder_timestamp"] != nil { // by a wrong clock
				shape["cinder_timestamp"] = at.Add(time.Duration(random.IntN(9)-3) * hour)
			}
			h.record(fmt.Sprint(volume, " ", i), shape)
		}
	}
}

// A decision reads only part of a long history. The result must be the same as with all of it.
func TestNextOnDecisiveRecordsEqualsNextOnAllRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		id := fmt.Sprint("v", i)
		h.volume(id, nil)
		h.randomHistory(random, id)
	}
	for i := range 60 {
		id := fmt.Sprint("v", i)
		all, err := collectRecords(h.db.pool.Query(h.ctx, "SELECT "+recordColumns+" FROM records WHERE volume_id = $1 AND state <> 'withdrawn'", id))
		require.NoError(t, err)
		some, err := h.lease(id).Records(h.ctx)
		require.NoError(t, err)
		for _, status := range []string{"in-use", "error"} {
			for _, interval := range []time.Duration{0, hour, day, 7 * day} {
				for depth := range 3 {
					for _, later := range []time.Duration{0, 20 * time.Minute, hour, 3 * hour, 2 * day} {
						s := backup.Subject{Volume: backup.Volume{ID: id, ProjectID: "p", Status: status, SizeGiB: 10}, Protected: true}
						p := backup.Policy{Period: 10 * time.Minute, Interval: interval, Depth: depth}
						assert.Equal(t, backup.Next(base.Add(later), p, s, all), backup.Next(base.Add(later), p, s, some), "volume %s, %s, %s, depth %d", id, status, interval, depth)
					}
				}
			}
		}
	}
}

func TestDecisiveRecordsAreFewAfterAYearOfFailures(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("full", point("b", 9000*hour))
	h.generate("v", "failed", "full", 2000)
	h.exec(`UPDATE records SET reason = 'quota_exceeded' WHERE state = 'failed'`)
	h.exec(`UPDATE records SET reason = 'volume_status' WHERE id LIKE '%7'`)
	h.exec(`UPDATE records SET state = 'deleted', backup_id = id, available_at = ended_at WHERE id LIKE '%5'`)
	records, err := h.lease("v").Records(h.ctx)
	require.NoError(t, err)
	assert.Len(t, records, 1+16+1+1, "the full, failures, one by the status, the newest success")
}
