package backup

import (
	"slices"
	"time"
)

// An RPO is the rule for the age of its newest restore point's data beyond which a protected volume is late: when the next
// backup is due, plus what a backup of this volume usually takes, plus a grace.
type RPO struct {
	Due   time.Duration // the interval, or the service period if that is longer
	Grace time.Duration
	Most  time.Duration // upper bound, whatever is usual; 0: none, because the operator chose the grace
}

// RPO returns the rule. Unless the operator chose the grace, it is twice the service period (a plan comes once in it, and the
// next one may have to repeat) plus a quarter of the interval for what waits under the caps, and no volume may be older than
// twice the interval plus an hour.
func (s Settings) RPO() RPO {
	r := RPO{Due: max(s.BackupMinInterval.Std(), s.BackupServicePeriod.Std()), Grace: s.RPOGrace.Std()}
	if r.Grace == 0 {
		r.Grace, r.Most = 2*s.BackupServicePeriod.Std()+r.Due/4, 2*r.Due+time.Hour
	}
	return r
}

// Of returns the age for a volume whose backups usually take that long.
func (r RPO) Of(usual time.Duration) time.Duration {
	late := r.Due + usual + r.Grace
	if r.Most > 0 {
		late = min(late, r.Most)
	}
	return late
}

// usualOf is how many of the newest backups show how long one usually takes.
const usualOf = 3

// UsualDuration returns how long a backup of the volume usually takes once r has become b now: the longest of r and the
// newest others of the project that ended well. records are those that a decision about the volume needs.
func UsualDuration(now time.Time, r Record, b Backup, records []Record) time.Duration {
	var done []Record
	for _, o := range records {
		if _, known := o.Took(); known && o.ID != r.ID && o.ProjectID == r.ProjectID && o.Succeeded() {
			done = append(done, o)
		}
	}
	slices.SortFunc(done, func(a, b Record) int { return b.PlannedAt.Compare(a.PlannedAt) })
	started, finished := r.Course(now, b)
	usual := r.withinLimit(finished.Sub(started))
	for _, o := range done[:min(len(done), usualOf-1)] {
		took, _ := o.Took()
		usual = max(usual, o.withinLimit(took))
	}
	return usual
}

// withinLimit bounds a duration by r's time limit: a backup that hung for days and then ended well is no measure.
func (r Record) withinLimit(took time.Duration) time.Duration {
	if r.RequestedAt != nil && r.Deadline != nil {
		took = min(took, r.Deadline.Sub(*r.RequestedAt))
	}
	return max(0, took)
}
