package report

import (
	"time"

	"staffeln/backup"
)

// A Waiting is what a group waits to be told, by time; nil = there is none.
type Waiting struct {
	Result *time.Time // creation of the oldest record that ended and was not told
	Matter *time.Time // since when the oldest matter stands that is told anew in each report: a late volume, a finding
	Last   *time.Time // when the group was told last
}

// Due tells whether the group's report is to be made now: the oldest of what it has to tell is as old as the period, and
// so is the report before. Without something to tell it is never due.
func Due(now time.Time, period time.Duration, w Waiting) bool {
	oldest := earlier(w.Result, w.Matter)
	if oldest == nil || now.Sub(*oldest) < period {
		return false
	}
	return w.Last == nil || now.Sub(*w.Last) >= period
}

// Merge is what a group of several projects waits to be told.
func (w Waiting) Merge(other Waiting) Waiting {
	return Waiting{Result: earlier(w.Result, other.Result), Matter: earlier(w.Matter, other.Matter), Last: w.Last}
}

func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

// backOff is the delay before something that failed is tried again.
var backOff = backup.BackOff{First: 5 * time.Minute, Longest: 6 * time.Hour}

const (
	// noticePause is the longest delay before the receivers of a notice are looked for again.
	noticePause = 30 * time.Minute
	// giveUp is how long one mail is tried: longer than any week-end.
	giveUp = 7 * 24 * time.Hour
)

// Again is when something is tried again that has failed so many times in a row.
func Again(now time.Time, failures int) time.Time { return now.Add(backOff.Pause(failures)) }

// NoticesWait tells whether the notices of a group wait whose receivers are looked for again at the given time (nil: at any).
// What kept so many reports in a row from being made delays a notice by half an hour at most; a project that has no receiver,
// which is no failure, is looked at once in a period.
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

// GivenUp tells whether a mail of a report that was made then has been tried for long enough.
func GivenUp(now, made time.Time) bool { return now.Sub(made) >= giveUp }
