package chaos

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// situates begins what clouds do to servers and volumes without anybody's wish for fewer backups, or ends one.
func (w *world) situates() {
	if len(w.outages) > 0 && w.rng.IntN(2) == 0 {
		w.mend(w.outages[w.rng.IntN(len(w.outages))])
		return
	}
	o := some(w, w.shelved, w.resized, w.cellDown, w.softDeleted, w.migrated, w.cinderClock, w.poisoned,
		w.unlisted, w.unknownServer, w.onlyServer, w.unattached, w.between, w.blinks)()
	if o == nil {
		return
	}
	w.tell("situation: %s", o.name)
	w.outages = append(w.outages, o)
}

// still is a volume that is attached to a server, both as usual, and that no other situation has; nil where none is.
func (w *world) still() *volume {
	all := slices.DeleteFunc(w.living(), func(v *volume) bool {
		is, there := w.sim.Volume(v.id)
		return v.server == "" || v.situated || !there || is.Status != "in-use"
	})
	if len(all) == 0 {
		return nil
	}
	return all[w.rng.IntN(len(all))]
}

// situation keeps a volume in one until it is mended. Who deletes or transfers the volume meanwhile ends it before.
func (w *world) situation(name string, begin, end func(v *volume)) *outage {
	return w.situated(w.still(), name, begin, end)
}

// situated does that with one volume; nil where it is none.
func (w *world) situated(v *volume, name string, begin, end func(v *volume)) *outage {
	if v == nil {
		return nil
	}
	v.situated = true
	begin(v)
	over := false
	v.restore = func() {
		over, v.situated, v.restore = true, false, nil
		end(v)
	}
	restore := v.restore
	return &outage{"volume " + v.id + " " + name, func() {
		if !over {
			restore()
		}
	}}
}

// usual ends the situation of a volume, before its tenant does something with it.
func (w *world) usual(v *volume) {
	if v.restore != nil {
		w.tell("volume %s is as usual again", v.id)
		v.restore()
	}
}

func (w *world) shelved() *outage {
	return w.situation("is of a shelved server", func(v *volume) { w.sim.Shelve(v.server) }, func(v *volume) { w.sim.Unshelve(v.server) })
}

func (w *world) resized() *outage {
	status := some(w, "reserved", "attaching", "detaching")
	return w.situation("is of a server that is resized", func(v *volume) { w.sim.BeginResize(v.server, status) }, func(v *volume) { w.sim.EndResize(v.server) })
}

// cellDown hides a server from Nova's lists; asked for by ID it is there, or an error.
func (w *world) cellDown() *outage {
	how := some(w, cloudsim.HiddenFromLists, cloudsim.HiddenFromLists, cloudsim.HiddenFails, cloudsim.HiddenPartial)
	return w.situation("is of a server in a cell that is down", func(v *volume) { w.sim.HideServer(v.server, how) }, func(v *volume) { w.sim.ShowServer(v.server) })
}

func (w *world) softDeleted() *outage {
	return w.situation("is of a server that is deleted softly", func(v *volume) { w.sim.SoftDelete(v.server) }, func(v *volume) { w.sim.Restore(v.server) })
}

// unattached lets Cinder forget that a volume is attached, which Nova does not.
func (w *world) unattached() *outage {
	return w.situation("is attached in Nova only", func(v *volume) { w.sim.DropAttachments(v.id, "available") }, func(v *volume) { w.sim.EndResize(v.server) })
}

// between lets neither Nova nor Cinder show a volume attached, which is on its way from or to its server.
func (w *world) between() *outage {
	status := some(w, "reserved", "attaching", "detaching", "maintenance")
	return w.situation("is between two attachments, "+status, func(v *volume) {
		w.sim.Detach(v.server, v.id)
		w.sim.DropAttachments(v.id, status)
	}, func(v *volume) {
		w.sim.DropAttachments(v.id, "available")
		w.sim.Attach(v.server, v.id)
	})
}

// unlisted lets Cinder's lists lack a volume.
func (w *world) unlisted() *outage {
	return w.situation("is missing in Cinder's lists", func(v *volume) { w.view.unlisted[v.id] = true }, func(v *volume) { delete(w.view.unlisted, v.id) })
}

// unknownServer lets Nova tell of a server, asked for by ID, no more than that it is.
func (w *world) unknownServer() *outage {
	return w.situation("is of a server that is UNKNOWN", func(v *volume) {
		w.sim.HideServer(v.server)
		w.view.unknown[v.server] = true
	}, func(v *volume) {
		w.sim.ShowServer(v.server)
		delete(w.view.unknown, v.server)
	})
}

// onlyServer lets Nova list no server at all, and find one alone by its ID.
func (w *world) onlyServer() *outage {
	v := w.still()
	if v == nil || !v.protected || !v.seen || w.view.only != "" {
		return nil
	}
	return w.situated(v, "is of the only server that Nova finds", func(v *volume) {
		v.sole, w.view.only = true, v.server
		for _, s := range w.sim.Servers() {
			w.view.lost[s.ID] = s.ID != v.server
		}
	}, func(v *volume) {
		v.sole, w.view.only = false, ""
		clear(w.view.lost)
	})
}

func (w *world) migrated() *outage {
	well := w.rng.IntN(2) == 0
	return w.situation("is migrated", func(v *volume) { w.sim.BeginMigration(v.id) }, func(v *volume) { w.sim.EndMigration(v.id, well) })
}

// cinderClock lets Cinder date what it makes in another year.
func (w *world) cinderClock() *outage {
	if w.broken("Cinder's clock is wrong") {
		return nil
	}
	w.sim.SetCinderSkew(some(w, 400*24*time.Hour, -60*24*time.Hour))
	return &outage{"Cinder's clock is wrong", func() { w.sim.SetCinderSkew(0) }}
}

// poisoned lets every creation in one project fail, for as long as it lasts.
func (w *world) poisoned() *outage {
	project := w.estate.projects[w.rng.IntN(2)]
	refuse := some(w,
		cloudsim.Refuse{Status: http.StatusInternalServerError},
		cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"604800"}}},
	)
	remove := w.sim.AddFault(cloudsim.Fault{
		Match: func(r cloudsim.Request) bool {
			return r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/"+project+"/backups")
		},
		Do: refuse,
	})
	return &outage{"creations in project " + project + " fail", func() {
		remove()
		if refuse.Status == http.StatusTooManyRequests {
			w.putOff[project] = w.now.Add(backup.MaxAskedWait)
		}
	}}
}
