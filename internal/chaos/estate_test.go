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

// An estate is what the tenants have in the cloud, and what was promised for it.
type estate struct {
	projects []string          // two that stay; in some runs a third one, until it is purged
	tenants  map[string]string // a user by project
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

// settleEstate makes the tenants and what they have at the beginning.
func (w *world) settleEstate() {
	w.estate = &estate{tenants: map[string]string{}}
	for i := range 2 + w.rng.IntN(4)/3 {
		name := fmt.Sprintf("p%d", i+1)
		project := w.sim.AddProject(name)
		user := w.sim.AddUser("tenant"+name, "secret", "")
		w.sim.Grant(user, project, "member")
		w.estate.projects = append(w.estate.projects, project)
		w.estate.tenants[project] = user
	}
	volumes := 1 + w.rng.IntN(4)
	if w.style.aged {
		volumes = 4
	}
	for range volumes {
		w.addVolume(w.estate.projects[w.rng.IntN(2)])
	}
	if len(w.estate.projects) > 2 {
		w.addVolume(w.estate.projects[2])
	}
}

// addVolume makes a server that asks for backups, and its volume.
func (w *world) addVolume(project string) *volume {
	w.estate.names++
	v := &volume{project: project, size: 1 + w.rng.IntN(3), protected: true, retention: w.set.RetentionTime, owners: map[string]bool{project: true}}
	name := fmt.Sprintf("n%d", w.estate.names)
	v.server = w.sim.AddServer(project, name, map[string]string{w.set.BackupMetadataKey: "true"})
	v.id = w.sim.AddVolume(project, name, v.size, cloudsim.VolumeOptions{Encrypted: w.rng.IntN(4) == 0})
	w.sim.Attach(v.server, v.id)
	w.estate.volumes = append(w.estate.volumes, v)
	w.tell("volume %s on server %s", v.id, v.server)
	return v
}

// living are the volumes that are not gone.
func (w *world) living() []*volume {
	return slices.DeleteFunc(slices.Clone(w.estate.volumes), func(v *volume) bool { return v.gone })
}

// changes notes that the tenant of a volume wants something else from now on, which no plan has seen yet: for so long
// only the lesser of what was promised and what is wanted binds us, and for a volume that is not to be protected any
// more what was promised last.
func (w *world) changes(v *volume) {
	w.estate.changes++
	v.changed = w.estate.changes
	if v.promise == nil {
		return // no plan has ever seen it
	}
	w.outlives(v, *v.promise)
	lesser := v.kept
	if v.protected && (v.retention.IsZero() || v.kept.Longer(w.now, v.retention)) {
		lesser = v.retention
	}
	if !v.seen && lesser.Longer(w.now, v.promise.Retention) { // a plan that failed may have seen what was wanted before
		lesser = v.promise.Retention
	}
	if lesser.IsZero() {
		lesser = backup.Period{Clock: time.Second} // nobody knows
	}
	w.vow(v, invariants.Promise{From: w.now, Retention: lesser})
	v.seen = false
}

// outlives notes what of a promise holds on for an owner who gave the volume away: the retention of what is left there. The
// floor holds for the grace by the laws themselves.
func (w *world) outlives(v *volume, was invariants.Promise) {
	if was.Project == v.project {
		return
	}
	kept := v.kept
	if !v.seen && kept.Longer(w.now, was.Retention) {
		kept = was.Retention
	}
	w.estate.promises = append(w.estate.promises, invariants.Promise{Volume: was.Volume, Project: was.Project, From: w.now, Before: w.now, Retention: kept})
}

// neverLeft ends what holds on for an owner to whom a volume comes back before a plan saw it elsewhere: for plans it never
// left, and a shorter retention waits its delay as always.
func (w *world) neverLeft(v *volume, owner string) {
	for i := range w.estate.promises {
		p := &w.estate.promises[i]
		if p.Volume == v.id && p.Project == owner && p.From.Equal(v.transferred) && p.To.IsZero() {
			p.To = w.now
		}
	}
}

// vow replaces what holds for a volume.
func (w *world) vow(v *volume, next invariants.Promise) {
	if v.promise != nil && v.promise.From.Before(next.From) {
		v.promise.To = next.From
		w.estate.promises = append(w.estate.promises, *v.promise)
	}
	next.Volume, next.Project = v.id, v.project
	v.promise = &next
}

// promise notes what a plan promises for each volume that it could decide about. A handler that is at work meanwhile may
// not know of it, for as long as it can be. What was changed since this turn began is left to the next plan.
func (w *world) promise(a *actor) {
	var planned *time.Time
	w.must(w.place.hand.QueryRow(w.ctx, `SELECT planned_at FROM leadership`).Scan(&planned))
	if planned == nil || a.planned != nil && a.planned.Equal(*planned) || w.now.Sub(*planned) >= w.set.BackupServicePeriod.Std() {
		return // no plan since this turn began
	}
	known := w.known()
	w.judgeStrangers(known)
	for _, v := range w.estate.volumes {
		is := known[v.id]
		if v.changed > a.changes {
			continue
		}
		w.judgeKnown(v, is)
		if !v.seen && v.protected && !v.gone && is.Protected && !is.Unknown {
			v.seen, v.kept = true, v.retention
			if v.settled.IsZero() {
				v.settled = w.now
			}
			w.vow(v, invariants.Promise{From: w.now.Add(tasks.Lease), Floor: w.set.MinRestorePoints, Retention: v.retention})
		}
	}
}

// allPromises are those that ended and those that hold.
func (w *world) allPromises() []invariants.Promise {
	all := slices.Clone(w.estate.promises)
	for _, v := range w.estate.volumes {
		if v.promise != nil {
			all = append(all, *v.promise)
		}
	}
	return all
}
