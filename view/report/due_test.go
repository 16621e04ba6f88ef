package report

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func TestReportIsDueWhenContentAndLastReportAreOldEnough(t *testing.T) {
	const period = 24 * time.Hour
	ago := func(d time.Duration) *time.Time { return new(noon.Add(-d)) }
	for name, c := range map[string]struct {
		w   Waiting
		due bool
	}{
		"nothing to report":                                 {Waiting{}, false},
		"nothing to report, and none for long":              {Waiting{Last: ago(100 * period)}, false},
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
