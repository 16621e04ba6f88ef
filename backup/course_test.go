package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A backup that took a minute and was seen an hour later took a minute, also where Cinder's clock is wrong.
func TestCourseOfABackupIsCindersWithinTheBoundsOfOurs(t *testing.T) {
	requested := time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	seen := requested.Add(time.Hour)
	at := requested.Add
	for name, c := range map[string]struct {
		created, updated  time.Time
		started, finished time.Time
	}{
		"within the bounds":          {at(5 * time.Second), at(65 * time.Second), at(5 * time.Second), at(65 * time.Second)},
		"of a later request":         {at(50 * time.Minute), at(51 * time.Minute), at(50 * time.Minute), at(51 * time.Minute)},
		"cut to whole seconds":       {at(-500), at(time.Minute - 500), requested, at(time.Minute)},
		"a clock behind":             {at(-24 * time.Hour), at(time.Minute - 24*time.Hour), requested, at(time.Minute)},
		"a clock ahead":              {at(24 * time.Hour), at(time.Minute + 24*time.Hour), seen.Add(-time.Minute), seen},
		"longer than we waited":      {at(-24 * time.Hour), at(0), requested, seen},
		"the same, ahead":            {at(0), at(24 * time.Hour), requested, seen},
		"the clock was set back":     {at(time.Minute), at(0), requested, seen},
		"without an end":             {at(time.Minute), time.Time{}, requested, seen},
		"without any time of Cinder": {time.Time{}, time.Time{}, requested, seen},
	} {
		started, finished := Record{RequestedAt: &requested}.Course(seen, Backup{CreatedAt: c.created, UpdatedAt: c.updated})
		require.Equal(t, c.started, started, name)
		require.Equal(t, c.finished, finished, name)
	}
	_, known := Record{StartedAt: &requested}.Took()
	require.False(t, known)
	took, known := Record{StartedAt: &requested, FinishedAt: &seen}.Took()
	require.True(t, known)
	require.Equal(t, time.Hour, took)
}
