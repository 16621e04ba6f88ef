package chaos

import (
	"time"

	"staffeln/backup"
)

// tenantStep executes one random action of a tenant.
func (env *environment) tenantStep() {
	all := env.living()
	if len(all) == 0 {
		env.addVolume(env.tenancy.projects[0])
		return
	}
	if len(env.tenancy.projects) > 2 && env.rng.IntN(10) == 0 {
		env.purgeProject()
		return
	}
	v := all[env.rng.IntN(len(all))]
	actions := []func(*volume){
		env.toggleProtection, env.toggleProtection, env.toggleTwice, env.detach, env.requestRetention, env.requestRetention, env.requestRetention, env.requestRetention, env.extend, env.transfer, env.deleteVolume,
		env.deleteServer, env.removeBackup, env.removeBackup, env.backUp, env.copyTag, env.restoreBackup, env.rewriteTag, env.hideShortening, env.shortenAndTransfer,
	}
	actions[env.rng.IntN(len(actions))](v)
	if len(all) < 3 && env.rng.IntN(4) == 0 {
		env.addVolume(env.tenancy.projects[env.rng.IntN(2)])
	}
}

func (env *environment) toggleProtection(v *volume) {
	if v.server == "" {
		return
	}
	if v.sole { // an empty list of servers is plausible if every missing server was deleted
		env.endSituation(v)
	}
	v.protected = !v.protected
	value := some(env, "false", "")
	if v.protected {
		value = some(env, "true", "TRUE")
	}
	env.sim.SetMetadata(v.server, env.set.BackupMetadataKey, value)
	env.trace("tenant: volume %s protected %v", v.id, v.protected)
	env.noteInterruption(v)
	env.requestChanged(v)
}

// toggleTwice ends the protection and begins it again, with or without a plan in between.
func (env *environment) toggleTwice(v *volume) {
	env.toggleProtection(v)
	if p := env.leader(); p.free() && env.rng.IntN(2) == 0 {
		env.advance(env.until(env.set.BackupServicePeriod))
		env.turn(p)
	}
	env.toggleProtection(v)
}

// detach detaches the volume from its server, which keeps its metadata.
func (env *environment) detach(v *volume) {
	if v.server == "" {
		return
	}
	env.endSituation(v)
	env.sim.Detach(v.server, v.id)
	env.trace("tenant: volume %s detached from server %s", v.id, v.server)
	v.server, v.protected = "", false
	env.requestChanged(v)
}

func (env *environment) requestRetention(v *volume) {
	if v.server == "" || !v.protected {
		return
	}
	env.setRetention(v, some(env, "1h", "1h", "2h", "3h", "6h", "", "soon", "0h"))
}

func (env *environment) setRetention(v *volume, value string) {
	env.trace("tenant: volume %s retention %q", v.id, value)
	switch value {
	case "":
		env.sim.DeleteMetadata(v.server, env.set.RetentionMetadataKey)
		v.retention = env.set.RetentionTime
	default:
		env.sim.SetMetadata(v.server, env.set.RetentionMetadataKey, value)
		p, err := backup.ParsePeriod(value)
		if err != nil || p.IsZero() {
			// an unreadable value leaves the retention in force, which may be the last request or an earlier one
			v.retention = backup.Period{}
			break
		}
		v.retention = p
	}
	env.noteShortening(v)
	env.requestChanged(v)
}

func (env *environment) extend(v *volume) {
	v.size++
	env.sim.Extend(v.id, v.size)
	env.trace("tenant: volume %s has %d GiB", v.id, v.size)
}

// transfer transfers a volume to the other project, where another server uses it.
func (env *environment) transfer(v *volume) {
	env.endSituation(v)
	if v.server != "" {
		env.sim.DeleteServer(v.server)
	}
	to := env.tenancy.projects[0]
	if v.project == to {
		to = env.tenancy.projects[1]
	}
	env.sim.TransferVolume(v.id, to)
	if v.seenInProject.IsZero() {
		env.returnToOwner(v, to)
	}
	v.project, v.protected, v.retention, v.transferred, v.seenInProject = to, true, env.set.RetentionTime, env.now, time.Time{}
	metadata := map[string]string{env.set.BackupMetadataKey: "true"}
	if v.firstIn(to) && env.rng.IntN(3) == 0 {
		metadata[env.set.RetentionMetadataKey] = "soon" // unreadable: the default holds for an owner who had no other retention before
	}
	v.server = env.sim.AddServer(to, "heir", metadata)
	env.sim.Attach(v.server, v.id)
	env.trace("tenant: volume %s to project %s, server %s", v.id, to, v.server)
	env.requestChanged(v)
}

func (env *environment) deleteVolume(v *volume) {
	env.endSituation(v)
	env.sim.DeleteVolume(v.id)
	v.gone, v.protected = true, false
	env.trace("tenant: volume %s deleted", v.id)
	env.requestChanged(v)
}

func (env *environment) deleteServer(v *volume) {
	if v.server == "" {
		return
	}
	env.endSituation(v)
	env.sim.DeleteServer(v.server)
	env.trace("tenant: server %s of volume %s deleted", v.server, v.id)
	v.server, v.protected = "", false
	env.requestChanged(v)
}
