package view

import (
	"context"
	"time"

	"staffeln/db"
)

// Day is what happened to one volume on one day (UTC).
type Day struct {
	Date   string `json:"date" desc:"of UTC"`
	Made   int    `json:"made" desc:"attempts of that day that became a restore point"`
	Failed int    `json:"failed" desc:"attempts of that day that failed, whatever became of what they left in Cinder"`
	Lost   int    `json:"lost" desc:"restore points of that day that somebody else removed since"`
}

// Days returns the last n days, the oldest first and today last.
func (r Reader) Days(ctx context.Context, l *db.Snapshot, volumeID string, n int) ([]Day, error) {
	today := l.Now.Truncate(24 * time.Hour)
	from := today.AddDate(0, 0, 1-n)
	happened, err := l.Days(ctx, r.Project, volumeID, from)
	if err != nil {
		return nil, err
	}
	days, at := make([]Day, n), map[string]*Day{}
	for i := range days {
		days[i].Date = from.AddDate(0, 0, i).Format(time.DateOnly)
		at[days[i].Date] = &days[i]
	}
	for _, one := range happened {
		if day := at[one.Date]; day != nil { // nil if Cinder's clock is ahead of ours
			day.Made, day.Failed, day.Lost = one.Made, one.Failed, one.Lost
		}
	}
	return days, nil
}
