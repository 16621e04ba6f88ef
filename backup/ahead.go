package backup

import (
	"slices"
	"time"
)

// A Prospect is the decision that a later plan will make for a volume if nothing but time changes until then.
type Prospect struct {
	Decision

	ScheduledFor time.Time // time of that plan
	// EndsWell reports that the forecast assumes the backup in progress becomes a restore point.
	EndsWell bool
}

// Ahead returns the decision of [Next] now, and the first later plan that will ask for something by time alone; nil
// if no plan does.
func Ahead(now time.Time, p Policy, s Subject, records []Record) (Decision, *Prospect) {
	d := Next(now, p, s, records)
	if d.Action != Wait {
		return d, nil
	}
	var ahead Prospect
	later := d
	if s.Status == "backing-up" {
		s.Status = "in-use" // the status backing-up ends with the backup
	}
	if d.Reason == BackupInProgress {
		records, ahead.EndsWell = assumeSuccess(now, records), true
		later = Next(now, p, s, records)
		if later.Action != Wait { // due again at once: at the next run
			later.At = now
		}
	}
	// A leftover, or a parent in use, delays the backup from run to run, for one interval at most.
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

// maxRuns limits how far ahead the forecast computes: an interval of a year has fewer runs of half an hour than this.
const maxRuns = 20_000

// firstRun returns the first run of the grid that is at or after t, and after now.
func firstRun(now, t time.Time, period time.Duration) time.Time {
	run := Grid(t, period)
	for run.Before(t) || !run.After(now) {
		run = run.Add(max(period, time.Second))
	}
	return run
}

// assumeSuccess returns the records as if the one in progress were a restore point now.
func assumeSuccess(now time.Time, records []Record) []Record {
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
