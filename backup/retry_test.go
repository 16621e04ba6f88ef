package backup

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBackOffDoublesUpToItsLongestPause(t *testing.T) {
	b := BackOff{First: time.Second, Longest: 10 * time.Second}
	for failures, seconds := range map[int]int{0: 1, 1: 1, 2: 2, 3: 4, 4: 8, 5: 10, 1_000_000: 10} {
		require.Equal(t, time.Duration(seconds)*time.Second, b.Pause(failures), "%d failures", failures)
	}
	require.Equal(t, time.Second, BackOff{First: time.Minute, Longest: time.Second}.Pause(1))
	require.Equal(t, time.Duration(math.MaxInt64), BackOff{First: time.Second, Longest: math.MaxInt64}.Pause(1000), "no overflow")
	require.Zero(t, BackOff{}.Pause(9))
}

func TestARecordIsDueAtItsNextTryAndACreationAtItsDeadline(t *testing.T) {
	now := time.Unix(1000, 0)
	before, later := now.Add(-time.Second), now.Add(time.Second)
	require.True(t, Due(now, nil))
	require.True(t, Due(now, &now))
	require.False(t, Due(now, &later))
	require.False(t, Record{State: Creating, Deadline: nil, NextTryAt: &later}.Due(now))
	require.False(t, Record{State: Creating, Deadline: &later, NextTryAt: &later}.Due(now))
	require.True(t, Record{State: Creating, Deadline: &before, NextTryAt: &later}.Due(now))
	require.False(t, Record{State: Overdue, Deadline: &before, NextTryAt: &later}.Due(now), "its deadline passed long ago")
}
