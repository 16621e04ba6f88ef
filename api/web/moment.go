package web

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// momentLayouts are the forms of a time; those without a year mean the newest such day that is not in the future.
var (
	momentLayouts = []string{time.RFC3339, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly, "2.1.2006", "2.1.2006 15:04", "2 Jan 2006", "2 January 2006", "Jan 2 2006", "January 2 2006"}
	withoutYear   = []string{"2 Jan", "2 January", "Jan 2", "January 2", "2.1."}
	daysAgo       = regexp.MustCompile(`^(\d{1,4}) (hours?|days?|weeks?) ago$`)
)

// A fieldError is a fault of what somebody wrote into a field.
type fieldError struct {
	fault

	field string
}

// words returns what to write, for the field itself.
func (f fieldError) words() string {
	return "Not a day or time. Write 2026-03-01, 1 Mar, yesterday or 3 days ago."
}

func (f fieldError) Unwrap() error { return f.fault }

// moment parses a time as people write it, in UTC; a day is its beginning. It returns a [fieldError].
func (w *Handler) moment(name, value string) (*time.Time, error) {
	if value == "" {
		return nil, nil //nolint:nilnil // none is given
	}
	if at, known := momentOf(value, w.deps.Now().UTC()); known {
		return &at, nil
	}
	return nil, fieldError{fault{http.StatusBadRequest, fmt.Sprintf("read %s: %.40q: want a day or time such as 2026-03-01, 1 Mar, yesterday, 3 days ago or 2026-03-01T12:00:00Z", name, value)}, name}
}

func momentOf(value string, now time.Time) (time.Time, bool) {
	text := strings.Join(strings.Fields(strings.ReplaceAll(value, ",", " ")), " ")
	today := now.Truncate(24 * time.Hour)
	switch strings.ToLower(text) {
	case "now":
		return now, true
	case "today":
		return today, true
	case "yesterday":
		return today.AddDate(0, 0, -1), true
	}
	if found := daysAgo.FindStringSubmatch(strings.ToLower(text)); found != nil {
		n, _ := strconv.Atoi(found[1]) // digits
		switch found[2][0] {
		case 'h':
			return now.Add(-time.Duration(n) * time.Hour), true
		case 'w':
			n *= 7
		}
		return today.AddDate(0, 0, -n), true
	}
	for _, layout := range momentLayouts {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 0 && at.UTC().Year() > 0 && at.UTC().Year() < 10000 {
			return at.UTC(), true
		}
	}
	for _, layout := range withoutYear {
		// In a leap year, so that 29 Feb is a day.
		at, err := time.Parse(layout+" 2006", text+" 2000")
		if err != nil {
			continue
		}
		for year := now.Year(); ; year-- {
			if day := time.Date(year, at.Month(), at.Day(), 0, 0, 0, 0, time.UTC); day.Day() == at.Day() && !day.After(now) {
				return day, true
			}
		}
	}
	return time.Time{}, false
}
