package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// First a forced deletion, then a reset, then a pause of a day.
func TestNextRepair(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const grace = 20 * time.Minute
	for _, c := range []struct {
		name string
		was  Repair
		ago  time.Duration
		want Repair
	}{
		{"nothing was done", "", 0, Force},
		{"forced a moment ago", Force, grace - 1, ""},
		{"forced in vain", Force, grace, Reset},
		{"reset, and it hangs again", Reset, 24*time.Hour - 1, ""},
		{"a day later", Reset, 24 * time.Hour, Force},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Record{Repair: c.was}
			if c.was != "" {
				r.RepairedAt = new(now.Add(-c.ago))
			}
			require.Equal(t, c.want, NextRepair(now, r, grace))
		})
	}
}

// A backup that is at rest or being restored never hangs.
func TestMayHang(t *testing.T) {
	for status, want := range map[Status]bool{
		StatusCreating: true, StatusDeleting: true, StatusErrorDeleting: true,
		StatusAvailable: false, StatusRestoring: false, StatusError: false, StatusSpoilt: false, "backing-up": false,
	} {
		require.Equal(t, want, status.MayHang(), status)
	}
}
