package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// While nothing happens, promised times stay as they are, whenever somebody looks. What is due is what a retention run
// removes now, or the reason is known that holds it.
func TestPromisedTimesDoNotMove(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		h := anyRetentionInput(t, r)
		for i := range h.Records {
			h.Records[i].CinderTimestamp = nil // see TestForecastEqualsExpiredAtEveryMoment for a wrong clock
			if o := &h.Records[i]; o.State == Failed && o.EndedAt == nil {
				o.EndedAt = &o.PlannedAt
			} else if o.State == Deleting && o.DeletionRequestedAt == nil {
				o.DeletionRequestedAt = &o.PlannedAt
			}
		}
		if s := h.Retention.Shorter; s != nil && s.Longer(now, h.Retention.InForce) {
			h.Retention.Shorter = nil // no plan stores a longer one
		}
		until := now.AddDate(0, 0, 400)
		later := now.Add(time.Duration(rapid.IntRange(1, 120).Draw(r, "later")) * 12 * time.Hour)
		before, _ := h.Forecast(now, until)
		after, _ := h.Forecast(later, until)
		times := map[string]time.Time{}
		for _, e := range before {
			times[e.BackupID] = e.Promised()
		}
		require.Len(r, after, len(before))
		removals, kept := h.Now(later)
		reasons := map[string]Reason{}
		for _, one := range removals {
			reasons[one.BackupID] = one.Reason
		}
		for _, one := range kept {
			reasons[one.BackupID] = one.Reason
		}
		for _, e := range after {
			require.Equal(r, times[e.BackupID], e.Promised(), "%s %s", e.BackupID, e.Status)
			require.NotEmpty(r, reasons[e.BackupID])
			if e.Promised().Before(later) {
				require.NotZero(r, e.Due, "a time that is past is shown as due")
			}
		}
	})
}
