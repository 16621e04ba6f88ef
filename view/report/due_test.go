package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func TestReportIsDueWhenContentAndLastReportAreOldEnough(t *testing.T) {
	const period = 24 * time.Hour
	ago := func(d time.Duration) *time.Time { return new(noon.Add(-d)) }
	for name, c := range map[string]struct {
		w   Waiting
		due bool
	}{
		"nothing to tell":                                   {Waiting{}, false},
		"nothing to tell, and none for long":                {Waiting{Last: ago(100 * period)}, false},
		"a young result":                                    {Waiting{Result: ago(period - 1)}, false},
		"a result as old as the period":                     {Waiting{Result: ago(period)}, true},
		"an old result, and a young report":                 {Waiting{Result: ago(3 * period), Last: ago(period - 1)}, false},
		"an old result, and as old a report":                {Waiting{Result: ago(3 * period), Last: ago(period)}, true},
		"a volume that just became late":                    {Waiting{Matter: ago(time.Minute)}, false},
		"a volume that has been late":                       {Waiting{Matter: ago(period)}, true},
		"a young result beside a volume that has been late": {Waiting{Result: ago(time.Minute), Matter: ago(period)}, true},
	} {
		require.Equal(t, c.due, Due(noon, period, c.w), name)
	}
	sum := Waiting{Result: ago(3), Last: ago(1)}.Merge(Waiting{Result: ago(5), Matter: ago(9)})
	require.Equal(t, Waiting{Result: ago(5), Matter: ago(9), Last: ago(1)}, sum)
}

func TestRetryDelayOfReportsGrows(t *testing.T) {
	var pauses []string
	for n := range 10 {
		pauses = append(pauses, backup.Span(Again(noon, n).Sub(noon)))
	}
	require.Equal(t, []string{"5min", "5min", "10min", "20min", "40min", "1h20min", "2h40min", "5h20min", "6h", "6h"}, pauses)
	require.Equal(t, noon.Add(backOff.Longest), Again(noon, 1_000_000))
	require.False(t, GivenUp(noon, noon.Add(-giveUp+1)))
	require.True(t, GivenUp(noon, noon.Add(-giveUp)))
}

func TestQuotaLevels(t *testing.T) {
	for _, c := range []struct {
		limit, inUse, reserved int
		level                  Level
		words, figures         string
	}{
		{-1, 7, 0, Green, "unlimited", "7 of unlimited in use"},
		{0, 0, 0, Red, "none allowed", "0 of 0 in use"},
		{0, 3, 0, Red, "none allowed", "3 of 0 in use"},
		{10, 5, 0, Green, "enough left", "5 of 10 in use (50 %)"},
		{1000, 501, 0, Yellow, "more than half used", "501 of 1000 in use (50 %)"},
		{10, 5, 1, Yellow, "more than half used", "5 of 10 in use, 1 reserved (60 %)"},
		{10, 8, 0, Yellow, "more than half used", "8 of 10 in use (80 %)"},
		{1000, 801, 0, Red, "nearly used up", "801 of 1000 in use (80 %)"},
		{10, 10, 0, Red, "used up", "10 of 10 in use (100 %)"},
		{10, 12, 0, Red, "over the limit", "12 of 10 in use (120 %)"},
	} {
		q := Judge(backup.Quota{Limit: c.limit, InUse: c.inUse, Reserved: c.reserved})
		require.Equal(t, c.level, q.Level, "%+v", c)
		require.Equal(t, c.words, q.Words)
		require.Equal(t, c.figures, q.Figures(""))
		require.LessOrEqual(t, q.Percent(), 100)
		require.GreaterOrEqual(t, q.Percent(), 0)
	}
}
