package chaos

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// startOrEndSituation starts or ends a random situation: something that happens to servers and volumes in a cloud although
// nobody wants fewer backups.
func (env *environment) startOrEndSituation() {
	if len(env.outages) > 0 && env.rng.IntN(2) == 0 {
		env.fix(env.outages[env.rng.IntN(len(env.outages))])
		return
	}
	o := some(env, env.shelved, env.resized, env.cellDown, env.softDeleted, env.migrated, env.cinderClock, env.poisoned,
		env.unlisted, env.unknownServer, env.onlyServer, env.unattached, env.betweenAttachments, env.detachBriefly)()
	if o == nil {
		return
	}
	env.trace("situation: %s", o.name)
	env.outages = append(env.outages, o)
}

// unaffected returns a random volume that is attached to a server, both without a situation; nil if there is none.
func (env *environment) unaffected() *volume {
	all := slices.DeleteFunc(env.living(), func(v *volume) bool {
		is, there := env.sim.Volume(v.id)
		return v.server == "" || v.inSituation || !there || is.Status != "in-use"
	})
	if len(all) == 0 {
		return nil
	}
	return all[env.rng.IntN(len(all))]
}

// situation puts a random volume into a situation, until that is fixed. It ends earlier if the volume is deleted or
// transferred.
func (env *environment) situation(name string, begin, end func(v *volume)) *outage {
	return env.situationOf(env.unaffected(), name, begin, end)
}

// situationOf puts one volume into a situation; nil if the volume is nil.
func (env *environment) situationOf(v *volume, name string, begin, end func(v *volume)) *outage {
	if v == nil {
		return nil
	}
	v.inSituation = true
	begin(v)
	over := false
	v.restore = func() {
		over, v.inSituation, v.restore = true, false, nil
		end(v)
	}
	restore := v.restore
	return &outage{"volume " + v.id + " " + name, func() {
		if !over {
			restore()
		}
	}}
}

// endSituation ends the situation of a volume before its tenant changes it.
func (env *environment) endSituation(v *volume) {
	if v.restore != nil {
		env.trace("volume %s is as usual again", v.id)
		v.restore()
	}
}

func (env *environment) shelved() *outage {
	return env.situation("is of a shelved server", func(v *volume) { env.sim.Shelve(v.server) }, func(v *volume) { env.sim.Unshelve(v.server) })
}

func (env *environment) resized() *outage {
	status := some(env, "reserved", "attaching", "detaching")
	return env.situation("is of a server that is resized", func(v *volume) { env.sim.BeginResize(v.server, status) }, func(v *volume) { env.sim.EndResize(v.server) })
}

// cellDown hides a server from Nova's lists; a request by ID returns it, or an error.
func (env *environment) cellDown() *outage {
	how := some(env, cloudsim.HiddenFromLists, cloudsim.HiddenFromLists, cloudsim.HiddenFails, cloudsim.HiddenPartial)
	return env.situation("is of a server in a cell that is down", func(v *volume) { env.sim.HideServer(v.server, how) }, func(v *volume) { env.sim.ShowServer(v.server) })
}

func (env *environment) softDeleted() *outage {
	return env.situation("is of a server that is deleted softly", func(v *volume) { env.sim.SoftDelete(v.server) }, func(v *volume) { env.sim.Restore(v.server) })
}

// unattached makes Cinder show a volume without attachments, while Nova shows it attached.
func (env *environment) unattached() *outage {
	return env.situation("is attached in Nova only", func(v *volume) { env.sim.DropAttachments(v.id, "available") }, func(v *volume) { env.sim.EndResize(v.server) })
}

// betweenAttachments makes neither Nova nor Cinder show a volume as attached while it is being attached or detached.
func (env *environment) betweenAttachments() *outage {
	status := some(env, "reserved", "attaching", "detaching", "maintenance")
	return env.situation("is between two attachments, "+status, func(v *volume) {
		env.sim.Detach(v.server, v.id)
		env.sim.DropAttachments(v.id, status)
	}, func(v *volume) {
		env.sim.DropAttachments(v.id, "available")
		env.sim.Attach(v.server, v.id)
	})
}

// unlisted removes a volume from Cinder's lists.
func (env *environment) unlisted() *outage {
	return env.situation("is missing in Cinder's lists", func(v *volume) { env.view.unlisted[v.id] = true }, func(v *volume) { delete(env.view.unlisted, v.id) })
}

// unknownServer makes Nova show only the existence of a server, when it is requested by ID.
func (env *environment) unknownServer() *outage {
	return env.situation("is of a server that is UNKNOWN", func(v *volume) {
		env.sim.HideServer(v.server)
		env.view.unknown[v.server] = true
	}, func(v *volume) {
		env.sim.ShowServer(v.server)
		delete(env.view.unknown, v.server)
	})
}

// onlyServer makes Nova list no server, and find only one by ID.
func (env *environment) onlyServer() *outage {
	v := env.unaffected()
	if v == nil || !v.protected || !v.seen || env.view.only != "" {
		return nil
	}
	return env.situationOf(v, "is of the only server that Nova finds", func(v *volume) {
		v.sole, env.view.only = true, v.server
		for _, s := range env.sim.Servers() {
			env.view.lost[s.ID] = s.ID != v.server
		}
	}, func(v *volume) {
		v.sole, env.view.only = false, ""
		clear(env.view.lost)
	})
}

func (env *environment) migrated() *outage {
	well := env.rng.IntN(2) == 0
	return env.situation("is migrated", func(v *volume) { env.sim.BeginMigration(v.id) }, func(v *volume) { env.sim.EndMigration(v.id, well) })
}

// cinderClock sets Cinder's clock to another year.
func (env *environment) cinderClock() *outage {
	if env.broken("Cinder's clock is wrong") {
		return nil
	}
	env.sim.SetCinderSkew(some(env, 400*24*time.Hour, -60*24*time.Hour))
	return &outage{"Cinder's clock is wrong", func() { env.sim.SetCinderSkew(0) }}
}

// poisoned makes every creation of a backup in one project fail.
func (env *environment) poisoned() *outage {
	project := env.tenancy.projects[env.rng.IntN(2)]
	refuse := some(env,
		cloudsim.Refuse{Status: http.StatusInternalServerError},
		cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"604800"}}},
	)
	remove := env.sim.AddFault(cloudsim.Fault{
		Match: func(r cloudsim.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/"+project+"/backups")
		},
		Do: refuse,
	})
	return &outage{"creations in project " + project + " fail", func() {
		remove()
		if refuse.Status == http.StatusTooManyRequests {
			env.putOff[project] = env.now.Add(backup.MaxAskedWait)
		}
	}}
}
