package backup

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRPO(t *testing.T) {
	for name, c := range map[string]struct {
		interval, period, grace, usual, want time.Duration
	}{
		"the defaults":                          {30 * time.Minute, 30 * time.Minute, 0, 0, 97*time.Minute + 30*time.Second},
		"what a backup usually takes":           {30 * time.Minute, 30 * time.Minute, 0, 10 * time.Minute, 107*time.Minute + 30*time.Second},
		"at most twice the interval and 1h":     {30 * time.Minute, 30 * time.Minute, 0, 9 * time.Hour, 2 * time.Hour},
		"daily":                                 {24 * time.Hour, 30 * time.Minute, 0, time.Hour, 32 * time.Hour},
		"the period, if longer":                 {time.Hour, 2 * time.Hour, 0, 0, 5 * time.Hour},
		"the operator's grace":                  {30 * time.Minute, 30 * time.Minute, 6 * time.Hour, time.Hour, 7*time.Hour + 30*time.Minute},
		"the operator's grace may be short":     {30 * time.Minute, 30 * time.Minute, time.Minute, time.Minute, 32 * time.Minute},
		"a backup at every plan has no quarter": {0, time.Minute, 0, 0, 3*time.Minute + 15*time.Second},
	} {
		s := Settings{BackupMinInterval: Duration(c.interval), BackupServicePeriod: Duration(c.period), RPOGrace: Duration(c.grace)}
		require.Equal(t, c.want, s.RPO().Of(c.usual), name)
	}
}

func TestUsualDurationIsTheLongestOfTheLastThree(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { return new(now.Add(-d)) }
	var records []Record
	for i, took := range []time.Duration{5 * time.Minute, 20 * time.Minute, 3 * time.Hour} { // the newest first
		planned := now.Add(-time.Duration(i+1) * 24 * time.Hour)
		records = append(records, Record{ID: fmt.Sprint(i), ProjectID: "A", State: Available, PlannedAt: planned, StartedAt: &planned, FinishedAt: new(planned.Add(took)), AvailableAt: new(planned.Add(took))})
	}
	made := Record{ID: "new", ProjectID: "A", State: Creating, PlannedAt: now, RequestedAt: ago(10 * time.Minute)}
	require.Equal(t, 20*time.Minute, UsualDuration(now, made, Backup{}, records))
	records[1].State = Lost
	require.Equal(t, 3*time.Hour, UsualDuration(now, made, Backup{}, append(records, made)), "what was lost does not count")
	records[2].ProjectID = "B"
	require.Equal(t, 10*time.Minute, UsualDuration(now, made, Backup{}, records), "a former owner's neither")
	made.Deadline = ago(7 * time.Minute)
	require.Equal(t, 3*time.Minute, UsualDuration(now, made, Backup{}, nil), "it was overdue")
	require.Zero(t, UsualDuration(now, Record{ID: "new"}, Backup{}, nil))
}
