package chaos

import (
	"net/http"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
)

// checkOtherProjects checks, in some runs and when everything is idle, that a project whose creations Cinder delays for a week
// does not delay the backups of others, and gets its own after that. The check is skipped if the caps have so few slots that
// waiting backups can take all, or if records are forgotten before they can be judged.
func (env *environment) checkOtherProjects() {
	set := env.set
	if few := set.MaxBackupsInProgress; few > 0 && few < 15 || set.HistoryTime.Years == 0 || env.rng.IntN(4) > 0 {
		return
	}
	i := env.rng.IntN(2)
	project, other := env.tenancy.projects[i], env.tenancy.projects[1-i]
	env.trace("creations in project %s are put off", project)
	fix := env.sim.AddFault(cloudsim.Fault{
		Match: func(r cloudsim.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/"+project+"/backups")
		},
		Do: cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"604800"}}},
	})
	round := set.BackupMinInterval.Std() + 3*set.BackupServicePeriod.Std() + env.backupTime
	env.runCalmly(env.now.Add(round), env.now.Add(round))
	env.judgePoints(project)
	env.addManyVolumes(other)
	fix()
	env.trace("creations in project %s are put off no longer", project)
	again := env.now.Add(time.Hour + set.BackupCycleTimeout.Std() + round)
	env.runCalmly(again, again.Add(2*time.Hour))
}

// addManyVolumes adds twelve volumes to a project. They would not all be backed up in time if a throttle of the whole cloud
// admitted one at a time; the caps allow one backup of each in that time.
func (env *environment) addManyVolumes(project string) {
	if env.set.MaxRemovalsInProgress == 1 {
		return // the removals of so many volumes would never end
	}
	const many = 12
	turns := 2 // one of them for what is already due
	if most := env.set.MaxBackupsInProgressPerProject; most > 0 {
		turns += (many - 1) / most
		if time.Duration(turns)*env.backupTime > env.set.BackupMinInterval.Std()/2 {
			return // they would not all fit into an interval
		}
	}
	var came []*volume
	for range many {
		came = append(came, env.addVolume(project))
	}
	const step = 8 * time.Minute // the longest step of runCalmly
	until := env.now.Add(env.until(env.set.BackupServicePeriod) + time.Duration(turns)*(env.backupTime+step))
	env.runCalmly(until, until)
	for _, v := range came {
		if len(env.sim.BackupsOf(v.id)) == 0 {
			env.violate("held back: nothing was asked for volume %s, though only another project is put off", v.id)
		}
	}
}
