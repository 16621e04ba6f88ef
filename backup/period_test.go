package backup

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func moment(t testing.TB, s string) time.Time {
	t.Helper()
	m, err := time.Parse("2006-01-02T15:04:05", s)
	require.NoError(t, err)
	return m
}

// The results are those of Python's dateutil.relativedelta 2.9.0: the retention must mean the same as in the Python
// Staffeln.
func TestPeriodAfterMatchesPython(t *testing.T) {
	for _, c := range []struct{ from, period, want string }{
		{"2026-01-31T10:20:30", "1mon", "2026-02-28T10:20:30"},
		{"2028-01-31T10:20:30", "1mon", "2028-02-29T10:20:30"},
		{"2026-01-29T00:00:00", "1mon", "2026-02-28T00:00:00"},
		{"2026-03-31T00:00:00", "11mon", "2027-02-28T00:00:00"},
		{"2028-02-29T12:00:00", "1y", "2029-02-28T12:00:00"},
		{"2028-02-29T12:00:00", "4y", "2032-02-29T12:00:00"},
		{"2096-02-29T00:00:00", "4y", "2100-02-28T00:00:00"},
		{"1996-02-29T00:00:00", "4y", "2000-02-29T00:00:00"},
		{"2026-01-31T00:00:00", "1mon1d", "2026-03-01T00:00:00"},
		{"2026-01-30T23:59:59", "1mon1s", "2026-03-01T00:00:00"},
		{"2026-10-31T00:00:00", "1y1mon1d", "2027-12-01T00:00:00"},
		{"2026-12-31T23:59:59", "1s", "2027-01-01T00:00:00"},
		{"2026-01-31T00:00:00", "13mon", "2027-02-28T00:00:00"},
		{"2026-08-31T00:00:00", "30mon", "2029-02-28T00:00:00"},
		{"2026-05-31T06:00:00", "2w3d", "2026-06-17T06:00:00"},
		{"2026-02-28T00:00:00", "1mon", "2026-03-28T00:00:00"},
		{"2027-12-31T00:00:00", "2mon", "2028-02-29T00:00:00"},
		{"2028-02-28T23:00:00", "1h", "2028-02-29T00:00:00"},
		{"2028-02-28T00:00:00", "36h", "2028-02-29T12:00:00"},
		{"2026-01-31T00:00:00", "1mon24h", "2026-03-01T00:00:00"},
		{"2026-03-01T00:00:00", "1y6mon2w3d4h5min6s", "2027-09-18T04:05:06"},
		{"2026-03-29T01:30:00", "1d", "2026-03-30T01:30:00"},
		{"2026-03-10T00:00:00", "20min", "2026-03-10T00:20:00"},
		{"2026-03-10T00:00:00", "999y", "3025-03-10T00:00:00"},
		{"2026-03-10T00:00:00", "90000s", "2026-03-11T01:00:00"},
		{"2026-03-10T00:00:00", "0s", "2026-03-10T00:00:00"},
	} {
		require.Equal(t, moment(t, c.want), period(c.period).After(moment(t, c.from)), "%s after %s", c.period, c.from)
	}
}

// No hour is lost or doubled when the host's time zone changes its clocks.
func TestPeriodAfterIsUTC(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	require.Equal(t, moment(t, "2026-02-28T23:30:00"), period("1mon").After(time.Date(2026, 2, 1, 0, 30, 0, 0, berlin)))
}

func TestPeriodBefore(t *testing.T) {
	at := moment(t, "2026-03-31T10:00:00")
	for p, want := range map[string]string{"1mon": "2026-02-28T10:00:00", "2w": "2026-03-17T10:00:00", "1y": "2025-03-31T10:00:00", "1mon1h": "2026-02-28T09:00:00"} {
		require.Equal(t, moment(t, want), period(p).Before(at), p)
	}
}

func TestParsePeriodRejects(t *testing.T) {
	for _, s := range []string{
		"", " ", "30 days", "30", "0", "2d3w", "1mon1y", "1s1min", "1d1d", "-1d", "+1d", "1.5h", "1e3s", "0x1s", "1_000s",
		"٣d", "３d", "²d", " 2d", "2d ", "2d\n", "2 d", "2D", "2W", "1Y", "5m", "5M", "5mo", "1month", "d", "y", "1y,2d", "1y 2d", "P1D", "2d\x00",
		"99999y", "10000y", "3660000d", "99999999999999999999d", "9223372036854775808s", "2147483648s", "2147483648y", "9223372036854775807y1mon",
		strings.Repeat("9", 10000) + "d",
	} {
		_, err := ParsePeriod(s)
		require.Error(t, err, "%.60q", s)
		require.Less(t, len(err.Error()), 300, "the error repeats what it was given")
	}
}

func TestPeriodText(t *testing.T) {
	for s, want := range map[string]string{
		"2w3d": "2w3d", "1y2mon3w4d5h6min7s": "1y2mon3w4d5h6min7s", "0s": "0s", "0y0d": "0s", "007d": "1w", "14d": "2w", "17d": "2w3d",
		"90min": "1h30min", "24h": "1d", "86400s": "1d", "90000s": "1d1h", "2147483647s": "3550w5d3h14min7s", "13mon": "13mon", "9979y": "9979y",
	} {
		p, err := ParsePeriod(s)
		require.NoError(t, err)
		require.Equal(t, want, p.String())
	}
}

// The configuration also accepts bare seconds and the empty text.
func TestPeriodOfConfiguration(t *testing.T) {
	for s, want := range map[string]string{"": "0s", "0": "0s", "1800": "30min", "0030": "30s", "2w3d": "2w3d", "604800": "1w"} {
		p := period("1y")
		require.NoError(t, p.UnmarshalText([]byte(s)), "%q", s)
		text, err := p.MarshalText()
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	p := period("1y")
	for _, s := range []string{"-1", "+1", "1.5", "0x10", "1_000", "９", "30 days", " ", "9223372036854775808"} {
		require.Error(t, p.UnmarshalText([]byte(s)), "%q", s)
		require.Equal(t, period("1y"), p, "a refused text changes nothing")
	}
}

func TestPeriodLonger(t *testing.T) {
	february, july := moment(t, "2026-02-10T00:00:00"), moment(t, "2026-07-10T00:00:00")
	require.False(t, period("1mon").Longer(february, period("30d")))
	require.True(t, period("1mon").Longer(july, period("30d")))
	require.False(t, period("7d").Longer(july, period("1w")))
	require.True(t, Period{}.IsZero())
	require.True(t, period("0d").IsZero())
	require.False(t, period("1s").IsZero())
}

func TestPeriodProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p, q := anyPeriod(r), anyPeriod(r)
		from := time.Unix(rapid.Int64Range(-2_000_000_000, 9_000_000_000).Draw(r, "from"), 0).UTC()
		lawsOfPeriod(r, p, from)
		sum := Period{p.Years + q.Years, p.Months + q.Months, p.Days + q.Days, p.Clock + q.Clock}
		require.False(r, sum.After(from).Before(p.After(from)), "more is never shorter")
		// A later start ends later, except that the hour may differ in order where the end of the month clamps both
		// to one day.
		later := from.Add(time.Duration(rapid.Int64Range(0, 1e7).Draw(r, "later")) * time.Second)
		require.False(r, p.After(later).Before(p.After(from).Add(-24*time.Hour)))
		days := from.AddDate(0, 0, rapid.IntRange(0, 400).Draw(r, "days"))
		require.False(r, p.After(days).Before(p.After(from)))
	})
}

func anyPeriod(r *rapid.T) Period {
	n := func(most int) int { return rapid.IntRange(0, most).Draw(r, "n") }
	return Period{n(50), n(40), n(800), time.Duration(n(86399)) * time.Second}
}

func lawsOfPeriod(t require.TestingT, p Period, from time.Time) {
	end := p.After(from)
	require.False(t, end.Before(from), "%s after %s is before it", p, from)
	again, err := ParsePeriod(p.String())
	require.NoError(t, err)
	require.Equal(t, end, again.After(from), "%s reads otherwise than it prints", p)
	require.Equal(t, p.IsZero(), end.Equal(from))
}

func FuzzParsePeriod(f *testing.F) {
	for _, s := range []string{"2w3d", "1y2mon3w4d5h6min7s", "", "0s", "99999y", "-1d", "1.5h", "٣d", " 2d", "2D", "9979y11mon", "2147483647s"} {
		f.Add(s, int64(1_773_144_000))
	}
	f.Fuzz(func(t *testing.T, s string, unix int64) {
		p, err := ParsePeriod(s)
		if err != nil {
			require.Equal(t, Period{}, p)
			return
		}
		lawsOfPeriod(t, p, time.Unix(unix%9_000_000_000, 0).UTC())
	})
}
