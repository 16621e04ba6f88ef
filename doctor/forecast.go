package doctor

import (
	"fmt"
	"time"
)

// forecast estimates how long one backup of every protected volume takes, under the caps and with the durations of the last
// day: of all projects together, or of the project whose own cap makes it slowest.
func forecast(f Facts) []Result {
	v := findings{check: "forecast"}
	if v.unread(f) {
		return v.found
	}
	interval := max(f.Settings.BackupMinInterval.Std(), f.Settings.BackupServicePeriod.Std())
	var work, known time.Duration
	volumes, measured := 0, 0
	for _, l := range f.Load {
		volumes += l.Volumes
		if l.Average > 0 {
			measured += l.Volumes
			known += time.Duration(l.Volumes) * l.Average
		}
	}
	if measured == 0 {
		v.add(OK, "", "no estimate yet: no backup succeeded within the last day")
		return v.found
	}
	average := known / time.Duration(measured)
	round, slowest := time.Duration(0), "all together"
	for _, l := range f.Load {
		own := l.Average
		if own == 0 {
			own = average // the average of the others
		}
		takes := time.Duration(l.Volumes) * own
		work += takes
		if alone := spread(takes, f.Settings.MaxBackupsInProgressPerProject, l.Volumes); alone > round {
			round, slowest = alone, "project "+l.Project+", under its own cap"
		}
	}
	if together := spread(work, f.Settings.MaxBackupsInProgress, volumes); together > round {
		round, slowest = together, "all together"
	}
	text := fmt.Sprintf("a round of %d volumes, %s each, takes %s (%s) against an interval of %s",
		volumes, average.Round(time.Second), round.Round(time.Second), slowest, interval)
	switch {
	case round > interval:
		v.add(Failing, "raise the caps if cinder-backup can carry more, or lengthen the interval", "%s: volumes will be late", text)
	case round > interval*8/10:
		v.add(Warning, "raise the caps before more volumes come", "%s: little is left", text)
	}
	return v.orOK("%s", text)
}

// spread returns how long some work takes with a concurrency (0: all pieces at the same time).
func spread(work time.Duration, concurrency, pieces int) time.Duration {
	if concurrency == 0 || concurrency > pieces {
		concurrency = max(pieces, 1)
	}
	return work / time.Duration(concurrency)
}
