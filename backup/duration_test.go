package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDurationText(t *testing.T) {
	for s, want := range map[string]struct {
		std  time.Duration
		text string
	}{
		"30": {30 * time.Second, "30s"}, "0": {0, "0s"}, "0s": {0, "0s"}, "1800": {30 * time.Minute, "30min"}, "6h": {6 * time.Hour, "6h"},
		"1w": {7 * 24 * time.Hour, "1w"}, "36h": {36 * time.Hour, "1d12h"}, "5218w": {36526 * 24 * time.Hour, ""}, "36525d": {36525 * 24 * time.Hour, "5217w6d"},
	} {
		var d Duration
		err := d.UnmarshalText([]byte(s))
		if want.text == "" {
			require.Error(t, err, "more than 100 years")
			continue
		}
		require.NoError(t, err, s)
		require.Equal(t, want.std, d.Std())
		text, err := d.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want.text, string(text))
	}
}

func TestDurationRejects(t *testing.T) {
	d := Duration(time.Hour)
	for _, s := range []string{"", "1mon", "1y", "1y1d", "-1", "1.5h", "30 days", "6H", "99999999999d"} {
		require.Error(t, d.UnmarshalText([]byte(s)), "%q", s)
		require.Equal(t, time.Hour, d.Std(), "a refused text changes nothing")
	}
}
