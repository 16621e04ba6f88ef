package chaos

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
)

// An outage is a larger failure that lasts until it is fixed.
type outage struct {
	name string
	fix  func()
}

// startOrEndOutage starts or ends a random outage.
func (env *environment) startOrEndOutage() {
	if len(env.outages) > 0 && env.rng.IntN(2) == 0 {
		i := env.rng.IntN(len(env.outages))
		env.fix(env.outages[i])
		return
	}
	o := some(env, env.unavailable, env.unavailable, env.serviceDown, env.targetBroken, env.projectDisabled, env.quotaSpent, env.roleLost, env.databaseOut, env.queueOut,
		env.restarted, env.tokensRevoked, env.volumeStatus, env.backupFailed, env.backupStuck)()
	if o == nil {
		return
	}
	env.trace("outage: %s", o.name)
	if o.fix != nil {
		env.outages = append(env.outages, o)
	}
}

func (env *environment) fix(o *outage) {
	env.outages = slices.DeleteFunc(env.outages, func(other *outage) bool { return o == other })
	env.trace("fixed: %s", o.name)
	o.fix()
}

// broken reports whether an outage of that name lasts.
func (env *environment) broken(name string) bool {
	return slices.ContainsFunc(env.outages, func(o *outage) bool { return o.name == name })
}

func (env *environment) unavailable() *outage {
	name := some(env, "identity", "compute", "volume", "POST /volume", "DELETE /volume")
	status := some(env, 500, 503, 429)
	remove := env.sim.AddFault(cloudsim.Fault{
		Match: func(r cloudsim.Request) bool {
			return strings.HasPrefix(r.Path, "/"+name) || strings.HasPrefix(r.Method+" "+r.Path, name)
		},
		Do: cloudsim.Refuse{Status: status, Header: http.Header{"Retry-After": {"20"}}},
	})
	return &outage{name + " is unavailable", remove}
}

func (env *environment) serviceDown() *outage {
	if env.broken("cinder-backup is down") {
		return nil
	}
	env.sim.SetBackupService(false)
	return &outage{"cinder-backup is down", func() { env.sim.SetBackupService(true) }}
}

func (env *environment) targetBroken() *outage {
	env.sim.BreakTarget("the target is full")
	return &outage{"the target is full", func() { env.sim.BreakTarget("") }}
}

func (env *environment) projectDisabled() *outage {
	p := env.tenancy.projects[env.rng.IntN(2)]
	env.sim.DisableProject(p)
	return &outage{"project " + p + " is disabled", func() { env.sim.EnableProject(p) }}
}

func (env *environment) quotaSpent() *outage {
	p := env.tenancy.projects[env.rng.IntN(2)]
	env.sim.SetQuota(p, 0, 0)
	return &outage{"the quota of " + p + " is spent", func() { env.sim.SetQuota(p, -1, -1) }}
}

// roleLost takes the role admin away: lists of all projects become lists of one project, without an error.
func (env *environment) roleLost() *outage {
	if env.broken("the role admin is lost") {
		return nil
	}
	cast := env.sim.Cast()
	env.sim.Revoke(cast.Service, cast.AdminProject, "admin")
	env.sim.RevokeInherited(cast.Service, cast.Domain, "admin")
	env.sim.Grant(cast.Service, cast.AdminProject, "member")
	return &outage{"the role admin is lost", func() {
		env.sim.Grant(cast.Service, cast.AdminProject, "admin")
		env.sim.GrantInherited(cast.Service, cast.Domain, "admin")
	}}
}

func (env *environment) databaseOut() *outage {
	env.databaseAway = true
	return &outage{"the database is away", func() { env.databaseAway = false }}
}

func (env *environment) queueOut() *outage {
	env.queueAway = true
	return &outage{"the queue is away", func() { env.queueAway = false }}
}

func (env *environment) restarted() *outage {
	if env.broken("cinder-backup is down") {
		return nil
	}
	env.sim.RestartBackupService()
	return &outage{"cinder-backup was restarted", nil}
}

func (env *environment) tokensRevoked() *outage {
	env.sim.RevokeTokens(env.sim.Cast().Service)
	return &outage{"our tokens are revoked", nil}
}

// volumeStatus sets a volume to a status in which no backup is possible.
func (env *environment) volumeStatus() *outage {
	all := env.living()
	if len(all) == 0 {
		return nil
	}
	v := all[env.rng.IntN(len(all))]
	if is, _ := env.sim.Volume(v.id); is.Status != "in-use" && is.Status != "available" {
		return nil
	}
	env.sim.SetVolumeStatus(v.id, "error")
	return &outage{"volume " + v.id + " is in error", func() {
		if is, there := env.sim.Volume(v.id); there && is.Status == "error" {
			env.sim.SetVolumeStatus(v.id, map[bool]string{true: "in-use", false: "available"}[len(is.Servers) > 0])
		}
	}}
}

// backupFailed makes a random backup fail in its creation.
func (env *environment) backupFailed() *outage {
	all := slices.DeleteFunc(env.sim.Backups(), func(b cloudsim.Backup) bool { return b.Status != "creating" })
	if len(all) == 0 {
		return nil
	}
	b := all[env.rng.IntN(len(all))]
	env.sim.FailBackup(b.ID, "the target is away")
	return &outage{"backup " + b.ID + " fails", nil}
}

// backupStuck keeps a random backup in its transitional status.
func (env *environment) backupStuck() *outage {
	all := slices.DeleteFunc(env.sim.Backups(), func(b cloudsim.Backup) bool { return b.Status != "creating" && b.Status != "deleting" })
	if len(all) == 0 {
		return nil
	}
	b := all[env.rng.IntN(len(all))]
	env.sim.StickBackup(b.ID)
	return &outage{"backup " + b.ID + " is stuck", nil}
}

// heal ends all faults. What hung in Cinder continues.
func (env *environment) heal() {
	env.calm = true
	env.trace("the faults end")
	for len(env.outages) > 0 {
		env.fix(env.outages[0])
	}
	for _, b := range env.sim.Backups() {
		if b.Status == "creating" || b.Status == "deleting" || b.Status == "restoring" {
			env.sim.ReleaseBackup(b.ID)
		}
	}
	for _, p := range append(slices.Clone(env.schedulers), env.workers...) {
		for len(p.actors) > 0 {
			env.resume(p.actors[0])
		}
	}
	env.restart()
	env.advance(time.Second)
}
