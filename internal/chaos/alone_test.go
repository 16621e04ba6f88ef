package chaos

import (
	"net/http"
	"strings"
	"time"

	"staffeln/openstack/cloudsim"
)

// othersGoOn lets, in some runs, all that one project asks for be put off for a week once the world is at rest: that is its
// own trouble, and the others get their backups in time. When it is over it does, too. Not where the caps
// leave room for few, which what waits may take, nor where records are forgotten before they can be judged.
func (w *world) othersGoOn() {
	set := w.set
	if few := set.MaxBackupsInProgress; few > 0 && few < 15 || set.HistoryTime.Years == 0 || w.rng.IntN(4) > 0 {
		return
	}
	project := w.estate.projects[w.rng.IntN(2)]
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
	mend()
	w.tell("creations in project %s are put off no longer", project)
	again := w.now.Add(time.Hour + set.BackupCycleTimeout.Std() + round)
	w.undisturbed(again, again.Add(2*time.Hour))
}
