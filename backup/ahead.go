package backup

import (
	"slices"
	"time"
)

// A Prospect is what will be decided for a volume at a later beat, if nothing
// but time changes until then.
type Prospect struct {
	Decision

	ScheduledFor time.Time // the plan that decides so
	// EndsWell says that the backup in progress is assumed to become a restore
	// point.
	EndsWell bool
}

// Ahead returns what [Next] says now, and the first beat after now at which it
// will ask for something by time alone; nil where no time does.
func Ahead(now time.Time, p Policy, s Subject, records []Record) (Decision, *Prospect) {
	d := Next(now, p, s, records)
	if d.Action != Wait {
		return d, nil
	}
	var ahead Prospect
	later := d
	if s.Status == "backing-up" {
		s.Status = "in-use" // it passes with the backup
	}
	if d.Reason == BackupInProgress {
		records, ahead.EndsWell = endedWell(now, records), true
		later = Next(now, p, s, records)
		if later.Action != Wait { // due again at once: at the next beat
			later.At = now
		}
	}
	// A leftover or a busy parent is waited for from beat to beat, for an
	// interval at most.
	for n := 0; n < maxRuns && (n == 0 || later.Action == Wait) && !later.At.IsZero(); n++ {
		ahead.ScheduledFor = firstRun(now, later.At, p.Period)
		later = Next(ahead.ScheduledFor, p, s, records)
	}
	if later.Action == Wait {
		return d, nil
	}
	ahead.Decision = later
	return d, &ahead
}

// maxRuns bounds how far ahead is looked: no interval has more beats of half
// an hour in a year.
const maxRuns = 20_000

// firstRun returns the first beat of the grid that is at or after t, and after
// now.
func firstRun(now, t time.Time, period time.Duration) time.Time {
	beat := Grid(t, period)
	for beat.Before(t) || !beat.After(now) {
		beat = beat.Add(max(period, time.Second))
	}
	return beat
}

// endedWell shows records as if the one in progress were a restore point now.
func endedWell(now time.Time, records []Record) []Record {
	records = slices.Clone(records)
	for i, r := range records {
		if r.State.InProgress() {
			records[i].State, records[i].BackupID, records[i].AvailableAt = Available, "to come", &now
			if r.DataTimestamp == nil {
				records[i].DataTimestamp = &now
			}
		}
	}
	return records
}
