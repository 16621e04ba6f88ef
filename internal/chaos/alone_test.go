package chaos

import (
	"net/http"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
)

// othersGoOn lets, in some runs, all that one project asks for be put off for a week once the world is at rest: that is its
// own trouble, and the others get their backups in time. When it is over it does, too. Not where the caps
// leave room for few, which what waits may take, nor where records are forgotten before they can be judged.
func (w *world) othersGoOn() {
	set := w.set
	if few := set.MaxBackupsInProgress; few > 0 && few < 15 || set.HistoryTime.Years == 0 || w.rng.IntN(4) > 0 {
		return
	}
	i := w.rng.IntN(2)
	project, other := w.estate.projects[i], w.estate.projects[1-i]
	w.tell("creations in project %s are put off", project)
	mend := w.sim.AddFault(cloudsim.Fault{
		Match: func(r cloudsim.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/"+project+"/backups")
		},
		Do: cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"604800"}}},
	})
	round := set.BackupMinInterval.Std() + 3*set.BackupServicePeriod.Std() + w.backupTime
	w.undisturbed(w.now.Add(round), w.now.Add(round))
	w.judgePoints(project)
	w.manyCome(other)
	mend()
	w.tell("creations in project %s are put off no longer", project)
	again := w.now.Add(time.Hour + set.BackupCycleTimeout.Std() + round)
	w.undisturbed(again, again.Add(2*time.Hour))
}

// manyCome gives a project more volumes than could begin one at a time, as where the whole cloud is held back, in the time
// in which the caps let all of them be backed up once.
func (w *world) manyCome(project string) {
	if w.set.MaxRemovalsInProgress == 1 {
		return // what so many leave would never all be removed
	}
	const many = 12
	turns := 2 // and one for what is due already
	if most := w.set.MaxBackupsInProgressPerProject; most > 0 {
		turns += (many - 1) / most
		if time.Duration(turns)*w.backupTime > w.set.BackupMinInterval.Std()/2 {
			return // they would never all have their turn within an interval
		}
	}
	var came []*volume
	for range many {
		came = append(came, w.addVolume(project))
	}
	const look = 8 * time.Minute // the longest that undisturbed passes by
	until := w.now.Add(w.until(w.set.BackupServicePeriod) + time.Duration(turns)*(w.backupTime+look))
	w.undisturbed(until, until)
	for _, v := range came {
		if len(w.sim.BackupsOf(v.id)) == 0 {
			w.violate("held back: nothing was asked for volume %s, though only another project is put off", v.id)
		}
	}
}
