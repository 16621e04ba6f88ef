package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"staffeln/backup"
)

// sum lets Postgres add the converted period, and converts it back.
func (h *harness) sum(t require.TestingT, at time.Time, p backup.Period) (sum time.Time, back backup.Period) {
	i := toInterval(p)
	require.NoError(t, h.db.pool.QueryRow(h.ctx, `SELECT $1::timestamptz + $2::interval, $2::interval`, at, i).Scan(&sum, &i))
	return sum, fromInterval(i)
}

func TestPostgresAndGoAddPeriodsAlikeAtMonthEnds(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, c := range []struct{ at, period, want string }{
		{"2031-01-31T12:00:00Z", "1mon", "2031-02-28T12:00:00Z"},
		{"2032-01-31T12:00:00Z", "1mon", "2032-02-29T12:00:00Z"},
		{"2032-02-29T12:00:00Z", "1y", "2033-02-28T12:00:00Z"},
		{"2032-02-29T00:00:00Z", "4y", "2036-02-29T00:00:00Z"},
		{"2030-10-31T23:59:59Z", "4mon1d", "2031-03-01T23:59:59Z"},
		{"2030-12-31T23:30:00Z", "2mon1h", "2031-03-01T00:30:00Z"},
		{"2030-03-31T01:00:00Z", "1mon1w1d", "2030-05-08T01:00:00Z"},
		{"2030-05-31T00:00:00Z", "13mon30min", "2031-06-30T00:30:00Z"},
		{"2096-02-29T00:00:00Z", "4y", "2100-02-28T00:00:00Z"},
		{"2030-03-30T12:00:00Z", "1d", "2030-03-31T12:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		p, err := backup.ParsePeriod(c.period)
		require.NoError(t, err)
		sum, _ := h.sum(t, at, p)
		assert.Equal(t, c.want, sum.Format(time.RFC3339), "%s + %s in Postgres", c.at, c.period)
		assert.Equal(t, c.want, p.After(at).Format(time.RFC3339), "%s + %s in Go", c.at, c.period)
	}
}

func TestPostgresAndGoAddAnyPeriodAlike(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	rapid.Check(t, func(rt *rapid.T) {
		upTo := func(n int, name string) int { return rapid.IntRange(0, n).Draw(rt, name) }
		p := backup.Period{
			Years: upTo(100, "years"), Months: upTo(40, "months"), Days: upTo(800, "days"),
			Clock: time.Duration(upTo(86_399_999_999, "microseconds")) * time.Microsecond,
		}
		at := time.Date(2024, 1, 1+upTo(4*366, "day"), 0, 0, 0, 0, time.UTC).Add(time.Duration(upTo(86_399_999_999, "time of day")) * time.Microsecond)
		if rapid.Bool().Draw(rt, "month's end") {
			at = time.Date(at.Year(), at.Month()+1, 0, at.Hour(), at.Minute(), 0, 0, time.UTC)
		}
		sum, back := h.sum(rt, at, p)
		assert.Equal(rt, p.After(at), sum)
		assert.Equal(rt, p.After(at), back.After(at), "read back it is as long")
		assert.Equal(rt, back, fromInterval(toInterval(back)), "once normal, always normal")
		assert.Less(rt, back.Months, 12)
	})
}

func TestPeriodsAreStoredAndReadUnchanged(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, s := range []string{"2w3d", "1y6mon", "20min", "1mon", "10000y", "9y11mon3w6d23h59min59s", "0s"} {
		p, err := backup.ParsePeriod(s)
		if s == "10000y" { // the limit is in days of leap years
			require.Error(t, err)
			p, err = backup.ParsePeriod("9979y")
		}
		require.NoError(t, err)
		sum, back := h.sum(t, base, p)
		assert.Equal(t, p, back, s)
		assert.Equal(t, p.After(base), sum, s)
	}
}
