package queuemodel_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/queuemodel"
)

// The real queue does this only after minutes. The numbers were measured on it.
func TestModelHasMeasuredDelays(t *testing.T) {
	m := newModelled()
	dispatches(t, m, "enqueued 1", backupR1)
	require.True(t, m.NextChange().IsZero())

	for _, seconds := range []int{1, 2, 4, 8, 16, 30, 30} {
		m.Start(id).End(errTransient)
		require.Equal(t, m.now.Add(time.Duration(seconds)*time.Second), m.NextChange())
		require.Empty(t, m.Pending())
		m.now = m.NextChange()
		require.Equal(t, []string{id}, m.Pending())
	}

	m.Start(id).GiveBack()
	require.Equal(t, []string{id}, m.Pending(), "due at once")

	for _, recovery := range []time.Duration{queuemodel.SoonestRecovery, queuemodel.LatestRecovery} {
		m.Start(id).Abandon(recovery)
		m.now = m.now.Add(recovery - time.Nanosecond)
		require.Empty(t, m.Pending())
		m.now = m.now.Add(time.Nanosecond)
		require.Equal(t, []string{id}, m.Pending())
	}
	require.Nil(t, m.Start("volume:w"))
	require.Equal(t, 1, m.Len())
}

func TestRunReportsWhetherItHoldsTask(t *testing.T) {
	m := newModelled()
	dispatches(t, m, "enqueued 1", backupR1)
	r := m.Start(id)
	require.True(t, r.Held())
	m.Lose()
	require.False(t, r.Held())
	dispatches(t, m, "enqueued 1", backupR1)
	again := m.Start(id)
	require.False(t, r.Held(), "another run does")
	require.True(t, again.Held())
	r.Abandon(queuemodel.SoonestRecovery)
	require.True(t, again.Held(), "the death of one run does not affect another")
	again.End(nil)
	require.False(t, again.Held())
}
