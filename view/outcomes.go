package view

import (
	"cmp"
	"context"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/db"
)

// monthDays is how many days of UTC a month has in views, with today.
const monthDays = 30

// Outcomes are what came of the attempts of some time.
type Outcomes struct {
	Since     time.Time      `json:"since" desc:"the attempts that ended at this time or later"`
	Succeeded int            `json:"succeeded" desc:"they made a restore point, whatever became of it"`
	Failed    int            `json:"failed" desc:"they made none"`
	Percent   *int           `json:"success_percent" desc:"share that succeeded, rounded down; null: no attempt ended"`
	Failures  []FailureCount `json:"failures" desc:"by reason, the most frequent first"`
}

// Attempts returns how many attempts ended.
func (o Outcomes) Attempts() int { return o.Succeeded + o.Failed }

// FailureCount is how many attempts failed for one reason.
type FailureCount struct {
	Reason Reason `json:"reason" desc:"why they failed"`
	Count  int    `json:"count" desc:"how many"`
}

// outcomes counts what came of the attempts of the last day and of the last month.
func (r Reader) outcomes(ctx context.Context, l *db.Snapshot) (day, month Outcomes, err error) {
	since := l.Now.Add(-24 * time.Hour)
	counted, err := l.Outcomes(ctx, r.Project, since)
	if err != nil {
		return day, month, err
	}
	day = outcomesOf(since, counted)
	since = monthBegin(l.Now)
	counted, err = l.OutcomesByDay(ctx, r.Project, since)
	return day, outcomesOf(since, counted), err
}

// monthBegin returns the beginning of the first day of the last month.
func monthBegin(now time.Time) time.Time {
	return now.Truncate(24*time.Hour).AddDate(0, 0, 1-monthDays)
}

func outcomesOf(since time.Time, counted []db.Outcome) Outcomes {
	o, failures := Outcomes{Since: since}, map[backup.Reason]int{}
	for _, one := range counted {
		if one.Reason == "" {
			o.Succeeded += one.N
			continue
		}
		o.Failed += one.N
		failures[one.Reason] += one.N
	}
	o.Failures = []FailureCount{}
	for reason, n := range failures {
		o.Failures = append(o.Failures, FailureCount{ReasonOf(reason), n})
	}
	slices.SortFunc(o.Failures, func(a, b FailureCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason.Code, b.Reason.Code))
	})
	if n := o.Attempts(); n > 0 {
		o.Percent = new(100 * o.Succeeded / n)
	}
	return o
}

// StoredDay is what was stored at the end of a day.
type StoredDay struct {
	Date   string `json:"date" desc:"of UTC; today's is as of the newest retention run"`
	Points int    `json:"restore_points" desc:"how many restore points"`
	GiB    int    `json:"gib" desc:"sum of their volumes' sizes when they were backed up, as Cinder's quota counts"`
}

// StoredDays returns what was stored on the days of the last month that were counted, the oldest first. The days before the
// first restore point are missing.
func (r Reader) StoredDays(ctx context.Context, l *db.Snapshot) ([]StoredDay, error) {
	counted, err := l.StoredDays(ctx, r.Project, monthBegin(l.Now))
	days := []StoredDay{}
	for _, one := range counted {
		for len(days) > 0 { // a day between two others on which nothing was stored
			last, err := time.Parse(time.DateOnly, days[len(days)-1].Date)
			next := last.AddDate(0, 0, 1)
			if err != nil || !next.Before(one.Day) {
				break
			}
			days = append(days, StoredDay{Date: next.Format(time.DateOnly)})
		}
		days = append(days, StoredDay{one.Day.Format(time.DateOnly), one.Points, one.GiB})
	}
	return days, err
}
