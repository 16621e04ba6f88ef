package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSpanHasTwoUnits(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 900 * time.Millisecond, "10s": 10 * time.Second, "59min59s": time.Hour - time.Second, "30min": 30 * time.Minute, "1h": time.Hour + 5*time.Second,
		"2d4h": 52*time.Hour + 59*time.Minute, "15d": 15 * 24 * time.Hour,
	} {
		require.Equal(t, want, Span(d), d)
	}
}
