package doctor

import (
	"fmt"
	"time"
)

// forecast says how long a round takes in which every protected volume is backed up once, at the caps and at the pace of
// the last day's backups: by all together, or by the project whose own cap makes it slowest.
func forecast(f Facts) []Finding {
	v := verdicts{check: "forecast"}
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
		v.say(OK, "", "nothing to go by yet: no backup ended well within the last day")
		return v.found
	}
	average := known / time.Duration(measured)
	round, slowest := time.Duration(0), "all together"
	for _, l := range f.Load {
		own := l.Average
		if own == 0 {
			own = average // as the others
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
	said := fmt.Sprintf("a round of %d volumes, %s each, takes %s (%s) against an interval of %s",
		volumes, average.Round(time.Second), round.Round(time.Second), slowest, interval)
	switch {
	case round > interval:
		v.say(Failing, "raise the caps if cinder-backup can carry more, or lengthen the interval", "%s: volumes will be late", said)
	case round > interval*8/10:
		v.say(Warning, "raise the caps before more volumes come", "%s: little is left", said)
	}
	return v.or("%s", said)
}

// spread is how long some work takes with so many hands (0: as many as there are pieces).
func spread(work time.Duration, hands, pieces int) time.Duration {
	if hands == 0 || hands > pieces {
		hands = max(pieces, 1)
	}
	return work / time.Duration(hands)
}
