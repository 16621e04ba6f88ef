package backup

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// retentionInput parses a history of a volume that project A owns now; each record has its own retention.
func retentionInput(t *testing.T, floor int, history string) RetentionInput {
	t.Helper()
	return RetentionInput{
		Guard: Guard{ProjectID: "A", Protected: true, Floor: floor}, Delay: 24 * time.Hour, Records: records(t, history),
	}
}

// formatForecast formats a forecast in the order of expiry: the link, the time until it expires, and the reason; then what is
// retained, and why.
func formatForecast(expiring []Expiring, kept []Kept) string {
	words := make([]string, 0, len(expiring)+len(kept))
	for _, g := range expiring {
		words = append(words, fmt.Sprintf("%s+%s:%s", g.BackupID, Duration(g.At.Sub(now)), g.Reason))
	}
	slices.SortFunc(kept, func(a, b Kept) int { return strings.Compare(a.BackupID, b.BackupID) })
	words = append(words, "|")
	for _, k := range kept {
		words = append(words, k.BackupID+":"+string(k.Reason))
	}
	return strings.Join(words, " ")
}

func TestForecast(t *testing.T) {
	for name, c := range map[string]struct {
		floor   int
		history string
		days    int
		want    string
	}{
		"nothing held":           {1, "Fp-1h", 30, "|"},
		"the floor is retained":  {1, "F-3d:1w I-2d:1w I-1d:1w", 30, "| b01:restore_point_floor_depends_on_it b02:restore_point_floor_depends_on_it b03:restore_point_floor"},
		"a chain, leaf first":    {1, "F-5d:1w I-4d:1w F-1d:1w", 30, "b02+3d:expired b01+3d:expired | b03:restore_point_floor"},
		"no further than asked":  {0, "F-5d:1w F-1d:1w", 3, "b01+2d:expired | b02:within_retention"},
		"at the end too":         {0, "F-5d:1w", 2, "b01+2d:expired |"},
		"over now":               {0, "F-9d:1w", 0, "b01+0s:expired |"},
		"failed leftovers":       {1, "F-3d:1w Ie-1d", 30, "b02+0s:failed_leftover | b01:restore_point_floor"},
		"under removal":          {0, "F-8d:1w Id-8d:1w", 30, "b02+0s:being_removed b01+0s:expired |"},
		"in progress ends well":  {1, "F-3d:1w Fc-1h:1w", 30, "b01+4d:expired | b02:restore_point_floor"},
		"a restore ends":         {0, "Fr-3d:1w", 30, "b01+4d:expired |"},
		"an incremental planned": {0, "F-9d:1w Ip-1h", 30, "| b01:creation_builds_on_chain"},
		"two projects":           {1, "F-2d@B:1w F-1d:1w", 30, "b01+5d:expired | b02:restore_point_floor"},
		"what can't be removed":  {0, "Fu-9d:1w", 30, "| b01:cannot_be_removed"},
	} {
		t.Run(name, func(t *testing.T) {
			got := formatForecast(retentionInput(t, c.floor, c.history).Forecast(now, now.AddDate(0, 0, c.days)))
			require.Equal(t, c.want, got)
		})
	}
}

// A delayed shorter retention counts from when it takes effect, and only while the volume is protected.
func TestForecastOfAShortenedRetention(t *testing.T) {
	h := retentionInput(t, 0, "F-4d F-3d F-1d")
	h.Retention = Retention{Owner: "A", InForce: period("2w"), Source: FromMetadata, Shorter: new(period("2d")), ShorterSince: now.Add(-6 * time.Hour)}
	at, ok := h.Shortened()
	require.True(t, ok)
	require.Equal(t, now.Add(18*time.Hour), at)
	require.Equal(t, "b01+18h:expired b02+18h:expired b03+1d:expired |", formatForecast(h.Forecast(now, now.AddDate(0, 0, 30))))
	require.Equal(t, "| b01:within_retention b02:within_retention b03:within_retention", formatForecast(h.Forecast(now, now.Add(17*time.Hour))))
	h.Protected = false
	_, ok = h.Shortened()
	require.False(t, ok)
	require.Equal(t, "b01+1w3d:expired b02+1w4d:expired b03+1w6d:expired |", formatForecast(h.Forecast(now, now.AddDate(0, 0, 30))))
}

// The forecast begins with what Expired removes now, and every link is in the forecast.
func TestForecastStartsWithCurrentRemovals(t *testing.T) {
	for _, history := range []string{"F-9d:1w I-8d:1w", "F-9d:1w I-3d:1w F-2d:1w", "Fe-9d F-8d:1w I-8d:1w F-1d", "F-9d@B:1w I-9d@B:1w F-8d:1w F-1d"} {
		h := retentionInput(t, 1, history)
		removals, kept := h.Now(now)
		require.Len(t, h.Records, len(removals)+len(kept))
		expiring, retained := h.Forecast(now, now)
		require.Len(t, h.Records, len(expiring)+len(retained))
		for _, r := range removals {
			require.True(t, slices.ContainsFunc(expiring, func(g Expiring) bool { return g.BackupID == r.BackupID && g.At.Equal(now) }), "%s: %s", history, r.BackupID)
		}
	}
}
