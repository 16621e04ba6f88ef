package backup

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// A Period is a calendar span such as `2w3d`, `1y6mon` or `20min`: months and years have the length that the calendar
// gives them at the time they are added to. The zero Period is empty.
type Period struct {
	Years, Months, Days int
	Clock               time.Duration // hours, minutes and seconds
}

var periodPattern = regexp.MustCompile(`^(?:(\d+)y)?(?:(\d+)mon)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)min)?(?:(\d+)s)?$`)

// maxPeriodDays limits a period to 10,000 years, so that no sum overflows and every end is a date that Postgres and
// Go can store.
const maxPeriodDays = 3_652_500

// ParsePeriod parses `<n>y<n>mon<n>w<n>d<n>h<n>min<n>s`: each part is optional, the order is fixed, at least one part
// is required, and a number without a unit is an error. Zero is valid; the caller decides whether it is allowed. The
// notation is that of the Python Staffeln.
func ParsePeriod(s string) (Period, error) {
	m := periodPattern.FindStringSubmatch(s)
	if m == nil || s == "" {
		return Period{}, fmt.Errorf("parse period %.40q: want numbers with units in this order: y mon w d h min s, such as 2w3d", s)
	}
	var n [7]int64
	for i, digits := range m[1:] {
		if digits == "" {
			continue
		}
		v, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || v > math.MaxInt32 {
			return Period{}, fmt.Errorf("parse period %.40q: longer than 10000 years", s)
		}
		n[i] = v
	}
	seconds := n[4]*3600 + n[5]*60 + n[6]
	days := n[0]*366 + n[1]*31 + n[2]*7 + n[3] + seconds/86400
	if days > maxPeriodDays {
		return Period{}, fmt.Errorf("parse period %.40q: longer than 10000 years", s)
	}
	// Whole days are moved out of Clock: a time.Duration ends at 292 years.
	return Period{
		Years: int(n[0]), Months: int(n[1]), Days: int(n[2]*7 + n[3] + seconds/86400),
		Clock: time.Duration(seconds%86400) * time.Second,
	}, nil
}

// After returns the time one period after t, in UTC. Years and months are added first and clamped to the end of the
// month (31 January plus one month is 28 or 29 February), then days and clock time. Order and clamping are those of
// Python's relativedelta, so that retention means the same after the migration from the Python Staffeln.
func (p Period) After(t time.Time) time.Time {
	t = t.UTC()
	y, m, d := t.Date()
	first := time.Date(y+p.Years, m+time.Month(p.Months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d, last)-1+p.Days).Add(p.Clock)
}

// Before returns the time one period before t, in UTC, by the same rules.
func (p Period) Before(t time.Time) time.Time {
	return Period{-p.Years, -p.Months, -p.Days, -p.Clock}.After(t)
}

// IsZero reports whether p is empty.
func (p Period) IsZero() bool { return p == Period{} }

// Longer reports whether p, begun at now, ends later than q. A month and thirty days can only be compared from a
// given time on.
func (p Period) Longer(now time.Time, q Period) bool { return p.After(now).After(q.After(now)) }

// String returns p in the notation of [ParsePeriod]; the empty period is `0s`.
func (p Period) String() string {
	var b strings.Builder
	part := func(n int, unit string) {
		if n != 0 {
			fmt.Fprintf(&b, "%d%s", n, unit)
		}
	}
	part(p.Years, "y")
	part(p.Months, "mon")
	part(p.Days/7, "w")
	part(p.Days%7, "d")
	part(int(p.Clock/time.Hour), "h")
	part(int(p.Clock%time.Hour/time.Minute), "min")
	part(int(p.Clock%time.Minute/time.Second), "s")
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}

// MarshalText returns the text of [Period.String].
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText parses a period of the configuration like [ParsePeriod]; a bare number is seconds. The empty text is
// the empty period ("none").
func (p *Period) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		*p = Period{}
		return nil
	}
	if _, err := strconv.ParseUint(s, 10, 63); err == nil {
		s += "s"
	}
	q, err := ParsePeriod(s)
	if err != nil {
		return err
	}
	*p = q
	return nil
}

// A Duration is a time span of fixed length in the configuration: `6h`, `30min`, `1w`, or a bare number of seconds.
type Duration time.Duration

// UnmarshalText parses d; months and years are rejected because their length depends on the calendar.
func (d *Duration) UnmarshalText(text []byte) error {
	var p Period
	if len(text) == 0 {
		return errors.New("parse duration: empty; want seconds or a period such as 30min")
	}
	if err := p.UnmarshalText(text); err != nil {
		return err
	}
	if p.Years != 0 || p.Months != 0 || p.Days > 36_525 {
		return fmt.Errorf("parse duration %.40q: want at most 100 years in units of fixed length: w d h min s", text)
	}
	*d = Duration(time.Duration(p.Days)*24*time.Hour + p.Clock)
	return nil
}

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns d in the notation of the configuration.
func (d Duration) String() string {
	days := int(time.Duration(d) / (24 * time.Hour))
	return Period{Days: days, Clock: time.Duration(d) % (24 * time.Hour)}.String()
}

// MarshalText returns the text of [Duration.String].
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
