package chaos

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/testkit/inprocess"
)

// tenantActs lets a tenant do one thing.
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
	if v.sole { // an empty list of servers is believed where all that is missing in it was deleted
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

// toggles takes the protection away and gives it back, with a plan in between or without.
func (env *environment) toggles(v *volume) {
	env.asksOtherwise(v)
	if p := env.leader(); p.free() && env.rng.IntN(2) == 0 {
		env.pass(env.until(env.set.BackupServicePeriod))
		env.turn(p)
	}
	env.asksOtherwise(v)
}

// detaches takes the volume from its server, which keeps its metadata.
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
			// what can't be read leaves what was in force, which may be what was asked for before, or before that
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

// transfers gives a volume to the other project, where another server uses it.
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
		metadata[env.set.RetentionMetadataKey] = "soon" // which can't be read: the default holds for one who had no other before
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

// removesBackup deletes a backup of ours, as Cinder lets a tenant: a leaf that is finished. Not while one of our handlers
// is in the middle of its look at the volume: what it sees may be over a moment later, and no care helps against that.
func (env *environment) removesBackup(v *volume) {
	if env.workedOn(v.id) {
		return
	}
	leaves := slices.DeleteFunc(env.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool {
		return b.Status != "available" && b.Status != "error" || slices.ContainsFunc(env.sim.BackupsOf(v.id), func(c cloudsim.Backup) bool { return c.Parent == b.ID })
	})
	if len(leaves) == 0 {
		return
	}
	b := leaves[env.rng.IntN(len(leaves))]
	env.sim.RemoveBackup(b.ID)
	env.trace("tenant: backup %s of volume %s removed", b.ID, v.id)
}

func (env *environment) workedOn(volumeID string) bool {
	for _, p := range env.workers {
		for _, a := range p.actors {
			if a.run != nil && a.run.Volume.VolumeID == volumeID {
				return true
			}
		}
	}
	return false
}

// backsUp makes a backup of the tenant's own, which may stand on one of ours.
func (env *environment) backsUp(v *volume) {
	env.foreign(v, nil)
}

// copiesTag makes one that carries the tag of one of ours.
func (env *environment) copiesTag(v *volume) {
	for _, b := range slices.Backward(env.sim.BackupsOf(v.id)) {
		if b.User == env.sim.Cast().Service && len(b.Metadata) > 0 {
			env.foreign(v, b.Metadata)
			return
		}
	}
}

func (env *environment) foreign(v *volume, metadata map[string]string) {
	n := cloudsim.NewBackup{Volume: v.id, Project: v.project, User: env.tenancy.users[v.project], Name: "mine", Metadata: metadata}
	of := slices.DeleteFunc(env.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool { return b.Project != v.project })
	if len(of) > 0 && of[len(of)-1].Status == "available" && env.rng.IntN(2) == 0 {
		n.Parent = of[len(of)-1].ID
	}
	if env.now.Sub(env.newestData(v.id)) < time.Second { // Cinder's order is by whole seconds
		return
	}
	id := env.sim.AddBackup(n)
	env.trace("tenant: backup %s of volume %s, on %q, tag %v", id, v.id, n.Parent, len(metadata) > 0)
}

func (env *environment) newestData(volumeID string) (newest time.Time) {
	for _, b := range env.sim.BackupsOf(volumeID) {
		if b.DataTimestamp.After(newest) {
			newest = b.DataTimestamp
		}
	}
	return newest
}

// rewritesTag writes the tag of the newest of our backups on an older one too.
func (env *environment) rewritesTag(v *volume) {
	all := slices.DeleteFunc(env.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool {
		return b.User != env.sim.Cast().Service || b.Project != v.project || !env.recorded(b.ID)
	})
	if len(all) < 2 {
		return
	}
	older, newest := all[0], all[len(all)-1]
	body := fmt.Sprintf(`{"backup":{"metadata":{%q:%q,%q:%q}}}`, backup.TagInstallation, newest.Metadata[backup.TagInstallation], backup.TagRecord, newest.Metadata[backup.TagRecord])
	env.asTenant(v.project, http.MethodPut, "/backups/"+older.ID, body)
	env.trace("tenant: the tag of backup %s written on backup %s", newest.ID, older.ID)
}

// recorded reports whether a record names the backup.
func (env *environment) recorded(backupID string) (is bool) {
	env.must(env.store.conn.QueryRow(env.ctx, `SELECT EXISTS (SELECT FROM records WHERE backup_id = $1)`, backupID).Scan(&is))
	return is
}

// restores begins a restore of one of the backups into a new volume.
func (env *environment) restores(v *volume) {
	all := slices.DeleteFunc(env.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool { return b.Status != "available" || b.Project != v.project })
	if len(all) == 0 {
		return
	}
	b := all[env.rng.IntN(len(all))]
	env.asTenant(v.project, http.MethodPost, "/backups/"+b.ID+"/restore", `{"restore":{}}`)
	env.trace("tenant: backup %s of volume %s is being restored", b.ID, v.id)
}

// asTenant sends Cinder a request with a token of a project's own user.
func (env *environment) asTenant(project, method, path, body string) {
	inprocess.AskCinder(env.ctx, env.sim, fmt.Sprintf("tenantp%d", 1+slices.Index(env.tenancy.projects, project)), project, method, path, body)
}
