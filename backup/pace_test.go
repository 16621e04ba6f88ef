package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestFarBeyond(t *testing.T) {
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	deadline := began.Add(6 * time.Hour)
	for _, c := range []struct {
		name  string
		usual *time.Duration
		bound time.Duration
	}{
		{"without history: half of its time", nil, 3 * time.Hour},
		{"three times as long as usual", new(20 * time.Minute), time.Hour},
		{"a quick one gets ten minutes", new(time.Second), 10 * time.Minute},
		{"a slow one no more than half of its time", new(2 * time.Hour), 3 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.False(t, FarBeyond(began.Add(c.bound), began, deadline, c.usual))
			assert.True(t, FarBeyond(began.Add(c.bound+1), began, deadline, c.usual))
		})
	}
}

func TestCaution(t *testing.T) {
	for _, c := range []struct {
		name  string
		pace  Pace
		limit int
		why   Caution
	}{
		{"nothing known", Pace{}, -1, NoCaution},
		{"all well", Pace{InProgress: 15, Made: 200}, -1, NoCaution},
		{"throttled once", Pace{InProgress: 15, Throttled: 1, Made: 10}, 0, WhileThrottle},
		{"two of two are no proof", Pace{InProgress: 2, Unanswered: 2}, -1, NoCaution},
		{"three of three wait", Pace{InProgress: 3, Unanswered: 3}, 0, WhileAway},
		{"three of six wait", Pace{InProgress: 6, Unanswered: 3}, 0, WhileAway},
		{"three of seven wait", Pace{InProgress: 7, Unanswered: 3}, -1, NoCaution},
		{"four failed", Pace{Failed: 4}, -1, NoCaution},
		{"five failed", Pace{Failed: 5}, 1, WhileFailing},
		{"five failed, one was made", Pace{Failed: 5, Made: 1}, 1, WhileFailing},
		{"eight failed, two were made", Pace{Failed: 8, Made: 2}, -1, NoCaution},
	} {
		t.Run(c.name, func(t *testing.T) {
			limit, why := c.pace.Caution()
			assert.Equal(t, c.limit, limit)
			assert.Equal(t, c.why, why)
			if why != NoCaution {
				assert.Contains(t, Cautions, why)
			}
		})
	}
}
