package chaos

import (
	"time"

	"staffeln/backup"
)

// tenantActs executes one random action of a tenant.
func (env *environment) tenantActs() {
	all := env.living()
	if len(all) == 0 {
		env.addVolume(env.tenancy.projects[0])
		return
	}
	if len(env.tenancy.projects) > 2 && env.rng.IntN(10) == 0 {
		env.purges()
		return
	}
	v := all[env.rng.IntN(len(all))]
	actions := []func(*volume){
		env.asksOtherwise, env.asksOtherwise, env.toggles, env.detaches, env.asksForRetention, env.asksForRetention, env.asksForRetention, env.asksForRetention, env.extends, env.transfers, env.deletesVolume,
		env.deletesServer, env.removesBackup, env.removesBackup, env.backsUp, env.copiesTag, env.restores, env.rewritesTag, env.hides, env.givesAway,
	}
	actions[env.rng.IntN(len(actions))](v)
	if len(all) < 3 && env.rng.IntN(4) == 0 {
		env.addVolume(env.tenancy.projects[env.rng.IntN(2)])
	}
}

func (env *environment) asksOtherwise(v *volume) {
	if v.server == "" {
		return
	}
	if v.sole { // an empty list of servers is believed if every missing server was deleted
		env.usual(v)
	}
	v.protected = !v.protected
	value := some(env, "false", "")
	if v.protected {
		value = some(env, "true", "TRUE")
	}
	env.sim.SetMetadata(v.server, env.set.BackupMetadataKey, value)
	env.trace("tenant: volume %s protected %v", v.id, v.protected)
	env.interrupts(v)
	env.changes(v)
}

// toggle ends the protection and begins it again, with or without a plan in between.
func (env *environment) toggles(v *volume) {
	env.asksOtherwise(v)
	if p := env.leader(); p.free() && env.rng.IntN(2) == 0 {
		env.pass(env.until(env.set.BackupServicePeriod))
		env.turn(p)
	}
	env.asksOtherwise(v)
}

// detach detaches the volume from its server, which keeps its metadata.
func (env *environment) detaches(v *volume) {
	if v.server == "" {
		return
	}
	env.usual(v)
	env.sim.Detach(v.server, v.id)
	env.trace("tenant: volume %s detached from server %s", v.id, v.server)
	v.server, v.protected = "", false
	env.changes(v)
}

func (env *environment) asksForRetention(v *volume) {
	if v.server == "" || !v.protected {
		return
	}
	env.asksForRetentionOf(v, some(env, "1h", "1h", "2h", "3h", "6h", "", "soon", "0h"))
}

func (env *environment) asksForRetentionOf(v *volume, value string) {
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
	env.hastens(v)
	env.changes(v)
}

func (env *environment) extends(v *volume) {
	v.size++
	env.sim.Extend(v.id, v.size)
	env.trace("tenant: volume %s has %d GiB", v.id, v.size)
}

// transfer transfers a volume to the other project, where another server uses it.
func (env *environment) transfers(v *volume) {
	env.usual(v)
	if v.server != "" {
		env.sim.DeleteServer(v.server)
	}
	to := env.tenancy.projects[0]
	if v.project == to {
		to = env.tenancy.projects[1]
	}
	env.sim.TransferVolume(v.id, to)
	if v.settled.IsZero() {
		env.neverLeft(v, to)
	}
	v.project, v.protected, v.retention, v.transferred, v.settled = to, true, env.set.RetentionTime, env.now, time.Time{}
	metadata := map[string]string{env.set.BackupMetadataKey: "true"}
	if v.comesFirst(to) && env.rng.IntN(3) == 0 {
		metadata[env.set.RetentionMetadataKey] = "soon" // unreadable: the default holds for an owner who had no other retention before
	}
	v.server = env.sim.AddServer(to, "heir", metadata)
	env.sim.Attach(v.server, v.id)
	env.trace("tenant: volume %s to project %s, server %s", v.id, to, v.server)
	env.changes(v)
}

func (env *environment) deletesVolume(v *volume) {
	env.usual(v)
	env.sim.DeleteVolume(v.id)
	v.gone, v.protected = true, false
	env.trace("tenant: volume %s deleted", v.id)
	env.changes(v)
}

func (env *environment) deletesServer(v *volume) {
	if v.server == "" {
		return
	}
	env.usual(v)
	env.sim.DeleteServer(v.server)
	env.trace("tenant: server %s of volume %s deleted", v.server, v.id)
	v.server, v.protected = "", false
	env.changes(v)
}
