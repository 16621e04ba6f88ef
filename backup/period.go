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

// A Period is a calendar-true span such as `2w3d`, `1y6mon` or `20min`:
// months and years have the length that the calendar gives them at the moment
// they are added to. The zero Period is empty.
type Period struct {
	Years, Months, Days int
	Clock               time.Duration // hours, minutes and seconds together
}

var periodPattern = regexp.MustCompile(`^(?:(\d+)y)?(?:(\d+)mon)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)min)?(?:(\d+)s)?$`)

// maxPeriodDays bounds a period at 10,000 years, so that no sum overflows and
// every end is a date that Postgres and Go can hold.
const maxPeriodDays = 3_652_500

// ParsePeriod reads `<n>y<n>mon<n>w<n>d<n>h<n>min<n>s`: any part may be left
// out, the order is fixed, at least one part is needed and a number without a
// unit is an error. Zero is readable; whether it is allowed is the caller's
// question. The notation is the one that tenants and operators of the Python
// Staffeln use.
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
	// Whole days are moved out of the clock part: a Duration ends at 292 years.
	return Period{
		Years: int(n[0]), Months: int(n[1]), Days: int(n[2]*7 + n[3] + seconds/86400),
		Clock: time.Duration(seconds%86400) * time.Second,
	}, nil
}

// After returns the moment one period after t, in UTC. Years and months are
// added first and clamped to the end of the month (31 January plus one month
// is 28 or 29 February), then days and clock time: the order and the clamping
// of Python's relativedelta, so that retention means the same after moving over.
func (p Period) After(t time.Time) time.Time {
	t = t.UTC()
	y, m, d := t.Date()
	first := time.Date(y+p.Years, m+time.Month(p.Months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(d, last)-1+p.Days).Add(p.Clock)
}

// Before returns the moment one period before t, in UTC, by the same rules.
func (p Period) Before(t time.Time) time.Time {
	return Period{-p.Years, -p.Months, -p.Days, -p.Clock}.After(t)
}

// IsZero tells whether p is empty.
func (p Period) IsZero() bool { return p == Period{} }

// Longer tells whether p, begun at now, ends later than q does. Only a moment
// makes a month and thirty days comparable.
func (p Period) Longer(now time.Time, q Period) bool { return p.After(now).After(q.After(now)) }

// String writes p in the notation that [ParsePeriod] reads; the empty period is `0s`.
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

// MarshalText writes p as [Period.String] does.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a period of the configuration: as [ParsePeriod], and a
// bare number is seconds. The empty text is the empty period ("none").
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

// A Duration is a time span of fixed length as the configuration writes it:
// `6h`, `30min`, `1w`, or a bare number of seconds.
type Duration time.Duration

// UnmarshalText reads d; months and years are refused because their length
// depends on the calendar.
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

// Std returns d as the standard library's duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes d in the notation that it is read in.
func (d Duration) String() string {
	days := int(time.Duration(d) / (24 * time.Hour))
	return Period{Days: days, Clock: time.Duration(d) % (24 * time.Hour)}.String()
}

// MarshalText writes d as [Duration.String] does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }
