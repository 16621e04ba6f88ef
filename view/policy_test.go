package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
)

// The floor that explain shows is the one that the removals use.
func TestPolicyFloorEndsWithTheGrace(t *testing.T) {
	t.Parallel()
	ended := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	set := policy{backup.Settings{MinRestorePoints: 2, ProtectionGrace: backup.Duration(7 * 24 * time.Hour)}, nil, false}
	floor := func(v db.Volume, now time.Time) string {
		for _, p := range set.of(v, now) {
			if p.Name == "floor" {
				return p.Value + ": " + p.Source
			}
		}
		return "no floor"
	}
	v := db.Volume{ProjectID: "acme", Protected: true}
	require.Equal(t, "2 restore points: default of STAFFELN_MIN_RESTORE_POINTS", floor(v, ended))
	v.Protected, v.Ends = false, map[string]time.Time{"acme": ended}
	require.Contains(t, floor(v, ended.AddDate(0, 0, 7).Add(-time.Second)), "2 restore points: default of STAFFELN_MIN_RESTORE_POINTS, until 2026-03-17 12:00")
	require.Contains(t, floor(v, ended.AddDate(0, 0, 7)), "none: ")
	v.Ends = map[string]time.Time{"globex": ended}
	require.Contains(t, floor(v, ended), "none: ", "another project's end")
	set.tenant = true
	for _, p := range set.of(db.Volume{Protected: true}, ended) {
		require.NotContains(t, p.Source, prefix, p.Name)
	}
}
