package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestGrid(t *testing.T) {
	for _, c := range []struct{ at, period, want string }{
		{"2026-03-10T12:34:56", "10min", "2026-03-10T12:30:00"},
		{"2026-03-10T12:30:00", "10min", "2026-03-10T12:30:00"},
		{"2026-03-10T12:29:59", "30min", "2026-03-10T12:00:00"},
		{"2026-03-10T12:34:56", "1d", "2026-03-10T00:00:00"},
		{"2026-03-10T12:34:56", "1w", "2026-03-05T00:00:00"}, // the epoch was a Thursday
		{"2026-03-10T12:34:56", "0s", "2026-03-10T12:34:56"},
		{"1969-12-31T23:59:59", "10min", "1969-12-31T23:50:00"},
	} {
		require.Equal(t, moment(t, c.want), Grid(moment(t, c.at), span(t, c.period)), "%s on %s", c.at, c.period)
	}
	require.Equal(t, time.UTC, Grid(time.Now(), time.Minute).Location())
}

func TestGridProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62_135_596_800, 9_000_000_000).Draw(r, "at"), rapid.Int64Range(0, 999_999_999).Draw(r, "ns"))
		step := time.Duration(rapid.Int64Range(1, 1_000_000).Draw(r, "period")) * time.Second
		run := Grid(at, step)
		require.False(r, run.After(at))
		require.Less(r, at.Sub(run), step)
		if at.Year() > 1700 {
			require.Equal(r, run, Grid(run, step), "a run is its own")
			require.Zero(r, run.UnixNano()%int64(step), "runs count from the epoch")
		}
	})
}

func TestCanBeBackedUp(t *testing.T) {
	for _, status := range []string{"available", "in-use"} {
		require.True(t, Volume{Status: status}.CanBeBackedUp())
	}
	for _, status := range []string{"", "backing-up", "error", "maintenance", "In-Use", "deleting", "retyping"} {
		require.False(t, Volume{Status: status}.CanBeBackedUp(), status)
	}
}

func TestInventoryComplete(t *testing.T) {
	require.True(t, Inventory{}.Complete())
	require.False(t, Inventory{Unseen: []string{"servers, page 3"}}.Complete())
}
