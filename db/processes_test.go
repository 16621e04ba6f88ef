package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeartbeatsOfProcesses(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	processes := func() (all []Heartbeat) {
		require.NoError(t, h.db.Snapshot(h.ctx, func(l *Snapshot) (err error) {
			all, err = l.Heartbeats(h.ctx)
			return err
		}))
		for i := range all {
			all[i].StartedAt, all[i].SeenAt = all[i].StartedAt.UTC(), all[i].SeenAt.UTC()
		}
		return all
	}
	worker := Heartbeat{Kind: WorkerProcess, Name: "a/1", Version: "1", StartedAt: base}
	leader := Heartbeat{Kind: SchedulerProcess, Name: "a/2", Version: "1", StartedAt: base}
	require.NoError(t, h.db.RecordHeartbeat(h.ctx, worker))
	require.NoError(t, h.db.RecordHeartbeat(h.ctx, leader))
	worker.SeenAt, leader.SeenAt = base, base
	assert.Equal(t, []Heartbeat{leader, worker}, processes())

	h.clock.Step(time.Minute)
	require.NoError(t, h.db.RecordHeartbeat(h.ctx, leader))
	leader.SeenAt = base.Add(time.Minute)
	assert.Equal(t, []Heartbeat{leader, worker}, processes(), "the worker is silent")

	h.clock.Step(24 * time.Hour)
	require.NoError(t, h.db.RecordHeartbeat(h.ctx, leader))
	leader.SeenAt = base.Add(24*time.Hour + time.Minute)
	assert.Equal(t, []Heartbeat{leader}, processes(), "silent for a day: forgotten")
	require.NoError(t, h.db.DeleteHeartbeat(h.ctx, leader))
	assert.Empty(t, processes())
}
