package chaos

import (
	"fmt"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
	"staffeln/tasks"
)

// A tenancy is what tenants have in the cloud, and what was promised to them.
type tenancy struct {
	projects []string          // two that last; in some runs a third one that is purged
	users    map[string]string // user ID by project
	volumes  []*volume
	promises []invariants.Promise
	names    int
	changes  int // number of changes by tenants so far
}

// A volume is a tenant's volume, with the server that it is attached to.
type volume struct {
	id, project, server string
	gone                bool
	transferred         time.Time // time of the last transfer
	seenInProject       time.Time // when a plan saw it first in its current project; zero: not yet
	size                int
	protected           bool
	retention           backup.Period       // requested in the metadata, or the default
	promise             *invariants.Promise // current or future promise; nil: never protected
	seenRetention       backup.Period       // retention that a plan saw last
	seen                bool                // a plan has seen the current request
	changed             int                 // number of the last change of the request
	shortening          shortening          // the current shortening of its retention
	inSituation         bool                // the volume or its server is in a situation
	restore             func()              // ends the situation; nil: there is none
	sole                bool                // the situation ends when the protection ends
	owners              map[string]bool     // projects that it has been in
}

// setUpTenants creates the tenants and their first volumes.
func (env *environment) setUpTenants() {
	env.tenancy = &tenancy{users: map[string]string{}}
	for i := range 2 + env.rng.IntN(4)/3 {
		name := fmt.Sprintf("p%d", i+1)
		project := env.sim.AddProject(name)
		user := env.sim.AddUser("tenant"+name, "secret", "")
		env.sim.Grant(user, project, "member")
		env.tenancy.projects = append(env.tenancy.projects, project)
		env.tenancy.users[project] = user
	}
	volumes := 1 + env.rng.IntN(4)
	if env.style.aged {
		volumes = 4
	}
	for range volumes {
		env.addVolume(env.tenancy.projects[env.rng.IntN(2)])
	}
	if len(env.tenancy.projects) > 2 {
		env.addVolume(env.tenancy.projects[2])
	}
}

// addVolume creates a server that asks for backups, and its volume.
func (env *environment) addVolume(project string) *volume {
	env.tenancy.names++
	v := &volume{project: project, size: 1 + env.rng.IntN(3), protected: true, retention: env.set.RetentionTime, owners: map[string]bool{project: true}}
	name := fmt.Sprintf("n%d", env.tenancy.names)
	v.server = env.sim.AddServer(project, name, map[string]string{env.set.BackupMetadataKey: "true"})
	v.id = env.sim.AddVolume(project, name, v.size, cloudsim.VolumeOptions{Encrypted: env.rng.IntN(4) == 0})
	env.sim.Attach(v.server, v.id)
	env.tenancy.volumes = append(env.tenancy.volumes, v)
	env.trace("volume %s on server %s", v.id, v.server)
	return v
}

// living returns the volumes that are not deleted.
func (env *environment) living() []*volume {
	return slices.DeleteFunc(slices.Clone(env.tenancy.volumes), func(v *volume) bool { return v.gone })
}

// requestChanged notes that the tenant of a volume wants something else from now on. Until a plan has seen it, only the lesser
// of promise and request is binding; for a volume that is no longer to be protected, the last promise.
func (env *environment) requestChanged(v *volume) {
	env.tenancy.changes++
	v.changed = env.tenancy.changes
	if v.promise == nil {
		return // no plan has seen it protected
	}
	env.keepForFormerOwner(v, *v.promise)
	lesser := v.seenRetention
	if v.protected && (v.retention.IsZero() || v.seenRetention.Longer(env.now, v.retention)) {
		lesser = v.retention
	}
	if !v.seen && lesser.Longer(env.now, v.promise.Retention) { // a failed plan may have seen the former request
		lesser = v.promise.Retention
	}
	if lesser.IsZero() {
		lesser = backup.Period{Clock: time.Second} // unknown
	}
	env.setPromise(v, invariants.Promise{From: env.now, Retention: lesser})
	v.seen = false
}

// keepForFormerOwner notes the promise that remains for the former owner of a transferred volume: the retention of its restore
// points. The floor holds for the grace, which package invariants knows.
func (env *environment) keepForFormerOwner(v *volume, was invariants.Promise) {
	if was.Project == v.project {
		return
	}
	kept := v.seenRetention
	if !v.seen && kept.Longer(env.now, was.Retention) {
		kept = was.Retention
	}
	env.tenancy.promises = append(env.tenancy.promises, invariants.Promise{Volume: was.Volume, Project: was.Project, From: env.now, Before: env.now, Retention: kept})
}

// returnToOwner ends that promise if the volume comes back before a plan saw it elsewhere: for plans it was never away, and a
// shorter retention waits its delay as usual.
func (env *environment) returnToOwner(v *volume, owner string) {
	for i := range env.tenancy.promises {
		p := &env.tenancy.promises[i]
		if p.Volume == v.id && p.Project == owner && p.From.Equal(v.transferred) && p.To.IsZero() {
			p.To = env.now
		}
	}
}

// setPromise replaces a volume's promise.
func (env *environment) setPromise(v *volume, next invariants.Promise) {
	if v.promise != nil && v.promise.From.Before(next.From) {
		v.promise.To = next.From
		env.tenancy.promises = append(env.tenancy.promises, *v.promise)
	}
	next.Volume, next.Project = v.id, v.project
	v.promise = &next
}

// promise notes what a plan promises for each volume that it has seen correctly. A running handler may not know of it, for at
// most the time of its lease. Changes since the turn began are left to the next plan.
func (env *environment) promise(a *actor) {
	var planned *time.Time
	env.must(env.store.conn.QueryRow(env.ctx, `SELECT planned_at FROM leadership`).Scan(&planned))
	if planned == nil || a.planned != nil && a.planned.Equal(*planned) || env.now.Sub(*planned) >= env.set.BackupServicePeriod.Std() {
		return // no plan since the turn began
	}
	known := env.known()
	env.judgeStrangers(known)
	for _, v := range env.tenancy.volumes {
		is := known[v.id]
		if v.changed > a.changes {
			continue
		}
		env.judgeKnown(v, is)
		if !v.seen && v.protected && !v.gone && is.Protected && !is.Unknown {
			v.seen, v.seenRetention = true, v.retention
			if v.seenInProject.IsZero() {
				v.seenInProject = env.now
			}
			env.setPromise(v, invariants.Promise{From: env.now.Add(tasks.LeaseTime), Floor: env.set.MinRestorePoints, Retention: v.retention})
		}
	}
}

// allPromises returns all ended and current promises.
func (env *environment) allPromises() []invariants.Promise {
	all := slices.Clone(env.tenancy.promises)
	for _, v := range env.tenancy.volumes {
		if v.promise != nil {
			all = append(all, *v.promise)
		}
	}
	return all
}
