package view

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
)

// The pages of chains together are all chains, each of them complete.
func TestPagesOfChainsTogetherAreAllChains(t *testing.T) {
	var h backup.RetentionInput
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	h.Guard = backup.Guard{ProjectID: "acme", Protected: true, Floor: 1}
	for i := range 25 {
		at, kind := begin.Add(time.Duration(i)*time.Hour), backup.Incremental
		if i%3 == 0 {
			kind = backup.Full
		}
		id := fmt.Sprintf("b%02d", i)
		h.Records = append(h.Records, backup.Record{
			ID: id, BackupID: id, ProjectID: "acme", State: backup.Available, Kind: kind, Retention: backup.Period{Days: 1}, DataTimestamp: &at, AvailableAt: &at, PlannedAt: at,
		})
	}
	explain := func(wanted Stretch) *Explanation {
		v := &Explanation{AsOf: AsOf{At: begin.Add(26 * time.Hour)}}
		v.addChains(fullForecast(h, v.At), wanted, db.Volume{}, RemovalWaits{at: v.AsOf})
		require.Equal(t, 25, v.Links)
		return v
	}
	whole := explain(Stretch{})
	require.Len(t, whole.Chains, 9)
	require.Len(t, whole.Expiring, 24)
	require.False(t, whole.Older() || whole.Newer())
	var paged []Chain
	wanted := Stretch{Links: 4}
	for pages := 1; ; pages++ {
		v := explain(wanted)
		require.Len(t, v.Expiring, 4)
		require.Equal(t, pages > 1, v.Newer())
		paged = append(append([]Chain{}, v.Chains...), paged...)
		if !v.Older() {
			require.Equal(t, 5, pages)
			break
		}
		oldest := v.Chains[0].Links[0]
		wanted.Before = &backup.Link{DataTime: oldest.DataAt, BackupID: oldest.BackupID}
	}
	require.Equal(t, whole.Chains, paged)
}
