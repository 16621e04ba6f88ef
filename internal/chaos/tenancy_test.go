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

// A tenancy is what the tenants have in the cloud, and what was promised to them.
type tenancy struct {
	projects []string          // two that stay; in some runs a third one, until it is purged
	users    map[string]string // a user by project
	volumes  []*volume
	promises []invariants.Promise
	names    int
	changes  int // what tenants changed so far
}

// A volume of a tenant, with the server that it is attached to.
type volume struct {
	id, project, server string
	gone                bool
	transferred         time.Time // to another project, the newest time
	settled             time.Time // when a plan saw it first in that project; zero: none did
	size                int
	protected           bool
	retention           backup.Period       // that the metadata asks for, or the default
	promise             *invariants.Promise // that holds now, or soon; nil: never any
	kept                backup.Period       // that a plan saw last
	seen                bool                // a plan has seen what is asked for now
	changed             int                 // the number of the newest change of what is asked for
	hasty               haste               // of a tenant who wants it kept shorter
	situated            bool                // something that nobody asked for goes on with it or its server
	restore             func()              // ends that; nil: it is as usual
	sole                bool                // that is over with its protection
	owners              map[string]bool     // the projects that it has been in
}

// setUpTenants makes the tenants and what they have at the beginning.
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

// addVolume makes a server that asks for backups, and its volume.
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

// living are the volumes that are not gone.
func (env *environment) living() []*volume {
	return slices.DeleteFunc(slices.Clone(env.tenancy.volumes), func(v *volume) bool { return v.gone })
}

// changes notes that the tenant of a volume wants something else from now on. Until a plan has seen it, only the lesser of
// the promise and the wish binds us, and for a volume that is no longer to be protected the last promise.
func (env *environment) changes(v *volume) {
	env.tenancy.changes++
	v.changed = env.tenancy.changes
	if v.promise == nil {
		return // no plan has ever seen it
	}
	env.outlives(v, *v.promise)
	lesser := v.kept
	if v.protected && (v.retention.IsZero() || v.kept.Longer(env.now, v.retention)) {
		lesser = v.retention
	}
	if !v.seen && lesser.Longer(env.now, v.promise.Retention) { // a plan that failed may have seen what was wanted before
		lesser = v.promise.Retention
	}
	if lesser.IsZero() {
		lesser = backup.Period{Clock: time.Second} // nobody knows
	}
	env.setPromise(v, invariants.Promise{From: env.now, Retention: lesser})
	v.seen = false
}

// outlives notes what still holds for an owner who gave the volume away: the retention of the restore points there. The
// floor holds for the grace, which package invariants knows.
func (env *environment) outlives(v *volume, was invariants.Promise) {
	if was.Project == v.project {
		return
	}
	kept := v.kept
	if !v.seen && kept.Longer(env.now, was.Retention) {
		kept = was.Retention
	}
	env.tenancy.promises = append(env.tenancy.promises, invariants.Promise{Volume: was.Volume, Project: was.Project, From: env.now, Before: env.now, Retention: kept})
}

// neverLeft ends what still holds for an owner to whom a volume comes back before a plan saw it elsewhere: for plans it never
// left, and a shorter retention waits its delay as always.
func (env *environment) neverLeft(v *volume, owner string) {
	for i := range env.tenancy.promises {
		p := &env.tenancy.promises[i]
		if p.Volume == v.id && p.Project == owner && p.From.Equal(v.transferred) && p.To.IsZero() {
			p.To = env.now
		}
	}
}

// setPromise replaces what holds for a volume.
func (env *environment) setPromise(v *volume, next invariants.Promise) {
	if v.promise != nil && v.promise.From.Before(next.From) {
		v.promise.To = next.From
		env.tenancy.promises = append(env.tenancy.promises, *v.promise)
	}
	next.Volume, next.Project = v.id, v.project
	v.promise = &next
}

// promise notes what a plan promises for each volume that it could decide about. A handler that works meanwhile may not know
// of it, for at most the time of its lease. What changed since this turn began is left to the next plan.
func (env *environment) promise(a *actor) {
	var planned *time.Time
	env.must(env.store.conn.QueryRow(env.ctx, `SELECT planned_at FROM leadership`).Scan(&planned))
	if planned == nil || a.planned != nil && a.planned.Equal(*planned) || env.now.Sub(*planned) >= env.set.BackupServicePeriod.Std() {
		return // no plan since this turn began
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
			v.seen, v.kept = true, v.retention
			if v.settled.IsZero() {
				v.settled = env.now
			}
			env.setPromise(v, invariants.Promise{From: env.now.Add(tasks.Lease), Floor: env.set.MinRestorePoints, Retention: v.retention})
		}
	}
}

// allPromises are those that ended and those that hold.
func (env *environment) allPromises() []invariants.Promise {
	all := slices.Clone(env.tenancy.promises)
	for _, v := range env.tenancy.volumes {
		if v.promise != nil {
			all = append(all, *v.promise)
		}
	}
	return all
}
