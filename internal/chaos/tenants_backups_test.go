package chaos

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/inprocess"
)

// removeBackup deletes one of our backups, as Cinder allows a tenant: a finished backup without dependents. Not while one of
// our handlers is between its read of the volume and its requests: what it has read can be wrong a moment later, which no
// program can avoid.
func (env *environment) removeBackup(v *volume) {
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

// backUp creates a tenant's own backup, which may be a dependent of one of ours.
func (env *environment) backUp(v *volume) {
	env.foreign(v, nil)
}

// copyTag creates a tenant's backup with the tag of one of ours.
func (env *environment) copyTag(v *volume) {
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
	if env.now.Sub(env.newestData(v.id)) < time.Second { // Cinder orders by whole seconds
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

// rewriteTag writes the tag of our newest backup on an older one too.
func (env *environment) rewriteTag(v *volume) {
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

// restoreBackup begins a restore of one of the backups into a new volume.
func (env *environment) restoreBackup(v *volume) {
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
