package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Nothing is begun for a volume whose project is deleted, also if it is due or an operator asks for it.
func TestVolumeOfADeletedProjectIsNotBackedUp(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := Policy{Period: time.Hour, Interval: 24 * time.Hour}
	s := Subject{Volume: Volume{ID: "v", ProjectID: "p", Status: "in-use", SizeGiB: 1}, Protected: true, Manual: true}
	require.Equal(t, Create, Next(now, p, s, nil).Action)
	s.ProjectGone = true
	require.Equal(t, Decision{Action: Wait, Reason: ProjectGone}, Next(now, p, s, nil))
	planned := Record{ID: "r", ProjectID: "p", VolumeID: "v", State: Planned, Kind: Full, PlannedAt: now}
	require.Equal(t, Decision{Action: Withdraw, Reason: ProjectGone}, Next(now, p, s, []Record{planned}))
}
