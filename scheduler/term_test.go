package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/db"
)

// A new leader compares records and Cinder at once, but leaders that change often do not list all backups each time.
func TestRecordsAndCinderAreComparedAtTheBeginningOfATerm(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { return new(now.Add(-d)) }
	for name, c := range map[string]struct {
		led, compared *time.Time
		due           bool
	}{
		"never":                        {ago(0), nil, true},
		"in this term":                 {ago(time.Hour), ago(time.Minute), false},
		"in this term, long ago":       {ago(5 * time.Hour), ago(4 * time.Hour), false}, // its period decides
		"at the moment the term began": {ago(time.Hour), ago(time.Hour), false},
		"in a term before":             {ago(0), ago(compareAgain), true},
		"in a term before, just now":   {ago(0), ago(compareAgain - time.Second), false},
		"after a while of this term":   {ago(5 * time.Minute), ago(compareAgain), true},
	} {
		b := &db.Run{Now: now, Since: *c.led, LastRuns: db.LastRuns{ReconciledAt: c.compared}}
		require.Equal(t, c.due, comparedInTerm(b) == nil, name)
	}
}
