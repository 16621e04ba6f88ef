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
func (w *world) tenantActs() {
	all := w.living()
	if len(all) == 0 {
		w.addVolume(w.estate.projects[0])
		return
	}
	if len(w.estate.projects) > 2 && w.rng.IntN(10) == 0 {
		w.purges()
		return
	}
	v := all[w.rng.IntN(len(all))]
	deeds := []func(*volume){
		w.asksOtherwise, w.asksOtherwise, w.toggles, w.detaches, w.asksForRetention, w.asksForRetention, w.asksForRetention, w.asksForRetention, w.extends, w.transfers, w.deletesVolume,
		w.deletesServer, w.removesBackup, w.removesBackup, w.backsUp, w.copiesTag, w.restores, w.rewritesTag, w.hides, w.givesAway,
	}
	deeds[w.rng.IntN(len(deeds))](v)
	if len(all) < 3 && w.rng.IntN(4) == 0 {
		w.addVolume(w.estate.projects[w.rng.IntN(2)])
	}
}

func (w *world) asksOtherwise(v *volume) {
	if v.server == "" {
		return
	}
	if v.sole { // an empty list of servers is believed where all that is missing in it was deleted
		w.usual(v)
	}
	v.protected = !v.protected
	value := some(w, "false", "")
	if v.protected {
		value = some(w, "true", "TRUE")
	}
	w.sim.SetMetadata(v.server, w.set.BackupMetadataKey, value)
	w.tell("tenant: volume %s protected %v", v.id, v.protected)
	w.interrupts(v)
	w.changes(v)
}

// toggles takes the protection away and gives it back, with a plan in between or without.
func (w *world) toggles(v *volume) {
	w.asksOtherwise(v)
	if p := w.leader(); p.free() && w.rng.IntN(2) == 0 {
		w.pass(w.until(w.set.BackupServicePeriod))
		w.turn(p)
	}
	w.asksOtherwise(v)
}

// detaches takes the volume from its server, which keeps its metadata.
func (w *world) detaches(v *volume) {
	if v.server == "" {
		return
	}
	w.usual(v)
	w.sim.Detach(v.server, v.id)
	w.tell("tenant: volume %s detached from server %s", v.id, v.server)
	v.server, v.protected = "", false
	w.changes(v)
}

func (w *world) asksForRetention(v *volume) {
	if v.server == "" || !v.protected {
		return
	}
	w.asksForRetentionOf(v, some(w, "1h", "1h", "2h", "3h", "6h", "", "soon", "0h"))
}

func (w *world) asksForRetentionOf(v *volume, value string) {
	w.tell("tenant: volume %s retention %q", v.id, value)
	switch value {
	case "":
		w.sim.DeleteMetadata(v.server, w.set.RetentionMetadataKey)
		v.retention = w.set.RetentionTime
	default:
		w.sim.SetMetadata(v.server, w.set.RetentionMetadataKey, value)
		p, err := backup.ParsePeriod(value)
		if err != nil || p.IsZero() {
			// what can't be read leaves what was in force, which may be what was asked for before, or before that
			v.retention = backup.Period{}
			break
		}
		v.retention = p
	}
	w.hastens(v)
	w.changes(v)
}

func (w *world) extends(v *volume) {
	v.size++
	w.sim.Extend(v.id, v.size)
	w.tell("tenant: volume %s has %d GiB", v.id, v.size)
}

// transfers gives a volume to the other project, where another server uses it.
func (w *world) transfers(v *volume) {
	w.usual(v)
	if v.server != "" {
		w.sim.DeleteServer(v.server)
	}
	to := w.estate.projects[0]
	if v.project == to {
		to = w.estate.projects[1]
	}
	w.sim.TransferVolume(v.id, to)
	if v.settled.IsZero() {
		w.neverLeft(v, to)
	}
	v.project, v.protected, v.retention, v.transferred, v.settled = to, true, w.set.RetentionTime, w.now, time.Time{}
	metadata := map[string]string{w.set.BackupMetadataKey: "true"}
	if v.comesFirst(to) && w.rng.IntN(3) == 0 {
		metadata[w.set.RetentionMetadataKey] = "soon" // which can't be read: the default holds for one who had no other before
	}
	v.server = w.sim.AddServer(to, "heir", metadata)
	w.sim.Attach(v.server, v.id)
	w.tell("tenant: volume %s to project %s, server %s", v.id, to, v.server)
	w.changes(v)
}

func (w *world) deletesVolume(v *volume) {
	w.usual(v)
	w.sim.DeleteVolume(v.id)
	v.gone, v.protected = true, false
	w.tell("tenant: volume %s deleted", v.id)
	w.changes(v)
}

func (w *world) deletesServer(v *volume) {
	if v.server == "" {
		return
	}
	w.usual(v)
	w.sim.DeleteServer(v.server)
	w.tell("tenant: server %s of volume %s deleted", v.server, v.id)
	v.server, v.protected = "", false
	w.changes(v)
}

// removesBackup deletes a backup of ours, as Cinder lets a tenant: a leaf that is finished. Not while one of our handlers
// is in the middle of its look at the volume: what it sees may be over a moment later, and no care helps against that.
func (w *world) removesBackup(v *volume) {
	if w.workedOn(v.id) {
		return
	}
	leaves := slices.DeleteFunc(w.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool {
		return b.Status != "available" && b.Status != "error" || slices.ContainsFunc(w.sim.BackupsOf(v.id), func(c cloudsim.Backup) bool { return c.Parent == b.ID })
	})
	if len(leaves) == 0 {
		return
	}
	b := leaves[w.rng.IntN(len(leaves))]
	w.sim.RemoveBackup(b.ID)
	w.tell("tenant: backup %s of volume %s removed", b.ID, v.id)
}

func (w *world) workedOn(volumeID string) bool {
	for _, p := range w.workers {
		for _, a := range p.actors {
			if a.run != nil && a.run.Volume.VolumeID == volumeID {
				return true
			}
		}
	}
	return false
}

// backsUp makes a backup of the tenant's own, which may stand on one of ours.
func (w *world) backsUp(v *volume) {
	w.foreign(v, nil)
}

// copiesTag makes one that carries the tag of one of ours.
func (w *world) copiesTag(v *volume) {
	for _, b := range slices.Backward(w.sim.BackupsOf(v.id)) {
		if b.User == w.sim.Cast().Service && len(b.Metadata) > 0 {
			w.foreign(v, b.Metadata)
			return
		}
	}
}

func (w *world) foreign(v *volume, metadata map[string]string) {
	n := cloudsim.NewBackup{Volume: v.id, Project: v.project, User: w.estate.tenants[v.project], Name: "mine", Metadata: metadata}
	of := slices.DeleteFunc(w.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool { return b.Project != v.project })
	if len(of) > 0 && of[len(of)-1].Status == "available" && w.rng.IntN(2) == 0 {
		n.Parent = of[len(of)-1].ID
	}
	if w.now.Sub(w.newestData(v.id)) < time.Second { // Cinder's order is by whole seconds
		return
	}
	id := w.sim.AddBackup(n)
	w.tell("tenant: backup %s of volume %s, on %q, tag %v", id, v.id, n.Parent, len(metadata) > 0)
}

func (w *world) newestData(volumeID string) (newest time.Time) {
	for _, b := range w.sim.BackupsOf(volumeID) {
		if b.DataTimestamp.After(newest) {
			newest = b.DataTimestamp
		}
	}
	return newest
}

// rewritesTag writes the tag of the newest of our backups on an older one too.
func (w *world) rewritesTag(v *volume) {
	all := slices.DeleteFunc(w.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool {
		return b.User != w.sim.Cast().Service || b.Project != v.project || !w.recorded(b.ID)
	})
	if len(all) < 2 {
		return
	}
	older, newest := all[0], all[len(all)-1]
	body := fmt.Sprintf(`{"backup":{"metadata":{%q:%q,%q:%q}}}`, backup.TagInstallation, newest.Metadata[backup.TagInstallation], backup.TagRecord, newest.Metadata[backup.TagRecord])
	w.asTenant(v.project, http.MethodPut, "/backups/"+older.ID, body)
	w.tell("tenant: the tag of backup %s written on backup %s", newest.ID, older.ID)
}

// recorded tells whether a record names the backup.
func (w *world) recorded(backupID string) (is bool) {
	w.must(w.place.hand.QueryRow(w.ctx, `SELECT EXISTS (SELECT FROM records WHERE backup_id = $1)`, backupID).Scan(&is))
	return is
}

// restores begins a restore of one of the backups into a new volume.
func (w *world) restores(v *volume) {
	all := slices.DeleteFunc(w.sim.BackupsOf(v.id), func(b cloudsim.Backup) bool { return b.Status != "available" || b.Project != v.project })
	if len(all) == 0 {
		return
	}
	b := all[w.rng.IntN(len(all))]
	w.asTenant(v.project, http.MethodPost, "/backups/"+b.ID+"/restore", `{"restore":{}}`)
	w.tell("tenant: backup %s of volume %s is being restored", b.ID, v.id)
}

// asTenant sends Cinder a request with a token of a project's own user.
func (w *world) asTenant(project, method, path, body string) {
	inprocess.AskCinder(w.ctx, w.sim, fmt.Sprintf("tenantp%d", 1+slices.Index(w.estate.projects, project)), project, method, path, body)
}
