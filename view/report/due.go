package report

import (
	"time"

	"staffeln/backup"
)

// A Waiting is what a group has to report, by time; nil = nothing.
type Waiting struct {
	Result *time.Time // creation of the oldest record that ended and was not reported
	Matter *time.Time // start of the oldest matter that each report repeats: a late volume, a finding
	Last   *time.Time // when the last report of the group was delivered
}

// Due reports whether the group's report is to be made now: its oldest content is at least as old as the period, and so is
// the last report. A report without content is never due.
func Due(now time.Time, period time.Duration, w Waiting) bool {
	oldest := Earlier(w.Result, w.Matter)
	if oldest == nil || now.Sub(*oldest) < period {
		return false
	}
	return w.Last == nil || now.Sub(*w.Last) >= period
}

// Merge returns what a group of several projects has to report.
func (w Waiting) Merge(other Waiting) Waiting {
	return Waiting{Result: Earlier(w.Result, other.Result), Matter: Earlier(w.Matter, other.Matter), Last: w.Last}
}

// Earlier returns the earlier of two times; nil is none.
func Earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// backOff is the delay before something that failed is tried again.
var backOff = backup.BackOff{First: 5 * time.Minute, Longest: 6 * time.Hour}

const (
	// noticePause is the longest delay before the receivers of a notice are read again.
	noticePause = 30 * time.Minute
	// giveUp is how long one mail is tried: longer than any weekend.
	giveUp = 7 * 24 * time.Hour
)

// Again returns when something is tried again that failed so many times in a row.
func Again(now time.Time, failures int) time.Time { return now.Add(backOff.Pause(failures)) }

// NoticesWait reports whether the notices of a group wait. Its receivers are read again at the given time (nil: at any). After
// failures in a row that kept reports from being built, a notice waits half an hour at most. A project without a receiver is
// no failure and is checked once in a period.
func NoticesWait(now time.Time, again *time.Time, failures int) bool {
	if again == nil {
		return false
	}
	at := *again
	if failures > 0 {
		pause := backOff.Pause(failures)
		at = at.Add(min(pause, noticePause) - pause)
	}
	return !backup.Due(now, &at)
}

// GivenUp reports whether a mail of a report that was made then has been tried for long enough.
func GivenUp(now, made time.Time) bool { return now.Sub(made) >= giveUp }
