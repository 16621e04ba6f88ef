package chaos

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
)

// An outage is something larger that fails until it is mended.
type outage struct {
	name string
	mend func()
}

// breaks begins an outage, or mends one.
func (w *world) breaks() {
	if len(w.outages) > 0 && w.rng.IntN(2) == 0 {
		i := w.rng.IntN(len(w.outages))
		w.mend(w.outages[i])
		return
	}
	o := some(w, w.unavailable, w.unavailable, w.serviceDown, w.targetBroken, w.projectDisabled, w.quotaSpent, w.roleLost, w.databaseOut, w.queueOut,
		w.restarted, w.tokensRevoked, w.volumeStatus, w.backupSpoilt, w.sticks)()
	if o == nil {
		return
	}
	w.tell("outage: %s", o.name)
	if o.mend != nil {
		w.outages = append(w.outages, o)
	}
}

func (w *world) mend(o *outage) {
	w.outages = slices.DeleteFunc(w.outages, func(other *outage) bool { return o == other })
	w.tell("mended: %s", o.name)
	o.mend()
}

// broken tells whether there is an outage of that name already.
func (w *world) broken(name string) bool {
	return slices.ContainsFunc(w.outages, func(o *outage) bool { return o.name == name })
}

func (w *world) unavailable() *outage {
	name := some(w, "identity", "compute", "volume", "POST /volume", "DELETE /volume")
	status := some(w, 500, 503, 429)
	remove := w.sim.AddFault(cloudsim.Fault{
		Match: func(r cloudsim.Request) bool {
			return strings.HasPrefix(r.Path, "/"+name) || strings.HasPrefix(r.Method+" "+r.Path, name)
		},
		Do: cloudsim.Refuse{Status: status, Header: http.Header{"Retry-After": {"20"}}},
	})
	return &outage{name + " is unavailable", remove}
}

func (w *world) serviceDown() *outage {
	if w.broken("cinder-backup is down") {
		return nil
	}
	w.sim.SetBackupService(false)
	return &outage{"cinder-backup is down", func() { w.sim.SetBackupService(true) }}
}

func (w *world) targetBroken() *outage {
	w.sim.BreakTarget("the target is full")
	return &outage{"the target is full", func() { w.sim.BreakTarget("") }}
}

func (w *world) projectDisabled() *outage {
	p := w.estate.projects[w.rng.IntN(2)]
	w.sim.DisableProject(p)
	return &outage{"project " + p + " is disabled", func() { w.sim.EnableProject(p) }}
}

func (w *world) quotaSpent() *outage {
	p := w.estate.projects[w.rng.IntN(2)]
	w.sim.SetQuota(p, 0, 0)
	return &outage{"the quota of " + p + " is spent", func() { w.sim.SetQuota(p, -1, -1) }}
}

// roleLost takes the role admin away: the lists of all projects become lists of one, without a word.
func (w *world) roleLost() *outage {
	if w.broken("the role admin is lost") {
		return nil
	}
	cast := w.sim.Cast()
	w.sim.Revoke(cast.Service, cast.AdminProject, "admin")
	w.sim.RevokeInherited(cast.Service, cast.Domain, "admin")
	w.sim.Grant(cast.Service, cast.AdminProject, "member")
	return &outage{"the role admin is lost", func() {
		w.sim.Grant(cast.Service, cast.AdminProject, "admin")
		w.sim.GrantInherited(cast.Service, cast.Domain, "admin")
	}}
}

func (w *world) databaseOut() *outage {
	w.databaseAway = true
	return &outage{"the database is away", func() { w.databaseAway = false }}
}

func (w *world) queueOut() *outage {
	w.queueAway = true
	return &outage{"the queue is away", func() { w.queueAway = false }}
}

func (w *world) restarted() *outage {
	if w.broken("cinder-backup is down") {
		return nil
	}
	w.sim.RestartBackupService()
	return &outage{"cinder-backup was restarted", nil}
}

func (w *world) tokensRevoked() *outage {
	w.sim.RevokeTokens(w.sim.Cast().Service)
	return &outage{"our tokens are revoked", nil}
}

// volumeStatus puts a volume into a status that no backup is made in.
func (w *world) volumeStatus() *outage {
	all := w.living()
	if len(all) == 0 {
		return nil
	}
	v := all[w.rng.IntN(len(all))]
	if is, _ := w.sim.Volume(v.id); is.Status != "in-use" && is.Status != "available" {
		return nil
	}
	w.sim.SetVolumeStatus(v.id, "error")
	return &outage{"volume " + v.id + " is in error", func() {
		if is, there := w.sim.Volume(v.id); there && is.Status == "error" {
			w.sim.SetVolumeStatus(v.id, map[bool]string{true: "in-use", false: "available"}[len(is.Servers) > 0])
		}
	}}
}

// backupSpoilt turns a finished backup of ours into an error, or one in the making.
func (w *world) backupSpoilt() *outage {
	all := slices.DeleteFunc(w.sim.Backups(), func(b cloudsim.Backup) bool { return b.Status != "creating" })
	if len(all) == 0 {
		return nil
	}
	b := all[w.rng.IntN(len(all))]
	w.sim.FailBackup(b.ID, "the target is away")
	return &outage{"backup " + b.ID + " fails", nil}
}

// sticks keeps a backup in what it is passing through.
func (w *world) sticks() *outage {
	all := slices.DeleteFunc(w.sim.Backups(), func(b cloudsim.Backup) bool { return b.Status != "creating" && b.Status != "deleting" })
	if len(all) == 0 {
		return nil
	}
	b := all[w.rng.IntN(len(all))]
	w.sim.StickBackup(b.ID)
	return &outage{"backup " + b.ID + " is stuck", nil}
}

// heal ends all faults. What is stuck in Cinder goes on.
func (w *world) heal() {
	w.calm = true
	w.tell("the faults end")
	for len(w.outages) > 0 {
		w.mend(w.outages[0])
	}
	for _, b := range w.sim.Backups() {
		if b.Status == "creating" || b.Status == "deleting" || b.Status == "restoring" {
			w.sim.ReleaseBackup(b.ID)
		}
	}
	for _, p := range append(slices.Clone(w.schedulers), w.workers...) {
		for len(p.actors) > 0 {
			w.resume(p.actors[0])
		}
	}
	w.restart()
	w.pass(time.Second)
}
