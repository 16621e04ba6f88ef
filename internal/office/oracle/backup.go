package oracle

import (
	"slices"
	"strings"
	"time"

	"staffeln/internal/cloudsim"
)

// A backup is what Cinder did with one.
type backup struct {
	id, volume, project, user string
	ours                      bool
	parent                    string // empty: a full
	size                      int
	data                      time.Time
	state                     string // creating, available, error, deleting
	changed                   time.Time
	gone                      bool
	hangs                     time.Time // since when its removal can't end, for Cinder can't delete its key; zero: it can
	heldUp                    time.Time // when something kept it from being removed last
}

// Follow takes what happened in the cloud since the last time.
func (o *Oracle) Follow() {
	for _, e := range o.cloud.JournalSince(o.seq) {
		o.seq = e.Seq
		b := o.copies[e.Backup]
		switch e.Kind {
		case cloudsim.BackupRequested:
			o.request(e)
		case cloudsim.BackupAvailable:
			b.state, b.changed = "available", e.At
			if e.Detail == "full" {
				b.parent = ""
			}
			if b.ours {
				o.made++
			}
		case cloudsim.BackupFailed:
			b.state, b.changed = "error", e.At
			o.shake(b, e.At)
		case cloudsim.BackupReset:
			b.state, b.changed, b.hangs = e.Detail, e.At, time.Time{}
			b.heldUp = e.At.Add(24 * time.Hour) // what could not be removed is tried daily
			o.shake(b, e.At)
		case cloudsim.BackupDeletion, cloudsim.BackupForceDeletion:
			o.deletion(e, b)
			b.state, b.changed = "deleting", e.At
		case cloudsim.BackupHangs:
			b.hangs = e.At
		case cloudsim.BackupDeleted:
			b.gone = true
			v := o.volumes[b.volume]
			v.held = slices.DeleteFunc(v.held, func(other *backup) bool { return other == b })
			if b.ours {
				o.removed++
			}
		case cloudsim.BackupUpdated:
			if e.User == o.User && !b.ours {
				o.violated("updated"+e.Backup, "foreign touched: we changed backup %s, which is not ours", e.Backup)
			}
		case cloudsim.ChainDestroyed, cloudsim.ForeignDeletion, cloudsim.UnknownRoute:
			o.violated(e.Kind+e.Backup, "%s: backup %s of volume %s, %s", e.Kind, e.Backup, e.Volume, e.Detail)
		}
	}
}

// shake notes that the chain of a volume may not go on as the depth would have it, through no fault of ours.
func (o *Oracle) shake(b *backup, at time.Time) {
	if v := o.volumes[b.volume]; v != nil {
		v.shaken = at
	}
}

// Shake notes that something happens to the backups of a volume that its next backup may depend on.
func (o *Oracle) Shake(volumeID string) { o.volumes[volumeID].shaken = o.now }

func (o *Oracle) request(e cloudsim.Event) {
	b := &backup{id: e.Backup, volume: e.Volume, project: e.Project, user: e.User, data: e.At.Truncate(time.Second), state: "creating", changed: e.At}
	b.ours = e.User == o.User && !o.foreign[e.Backup]
	b.parent, _ = strings.CutPrefix(e.Detail, "incremental on ")
	if e.Detail == "full" {
		b.parent = ""
	}
	v := o.volumes[e.Volume]
	b.size = v.size
	if b.ours {
		o.judgeRequest(e, v, b)
	}
	o.copies[b.id] = b
	v.held = append(v.held, b)
}

func (o *Oracle) deletion(e cloudsim.Event, b *backup) {
	v := o.volumes[b.volume]
	switch {
	case e.User == o.User && !b.ours:
		o.violated("deleted"+b.id, "foreign touched: we removed backup %s of volume %s, which is not ours", b.id, v.name)
	case e.User == o.User:
		o.judgeRemoval(e, v, b)
	case b.ours:
		v.shaken, v.grey = e.At, e.At.Add(o.Sweep+o.Period)
		v.hindered(e.At, "a tenant removed the backup")
	}
}

// ourOf are ours of a volume in a project that Cinder has, oldest data first; in no project: in all.
func (o *Oracle) ourOf(volumeID, project string) (all []*backup) {
	for _, b := range o.volumes[volumeID].held {
		if b.ours && (project == "" || b.project == project) {
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b *backup) int { return a.data.Compare(b.data) })
	return all
}

// restorable tells whether a backup and all that it stands on is available.
func (o *Oracle) restorable(b *backup) bool {
	for ; b != nil && !b.gone && b.state == "available"; b = o.copies[b.parent] {
		if b.parent == "" {
			return true
		}
	}
	return false
}

// points are the restore points among ourOf.
func (o *Oracle) points(volumeID, project string) []*backup {
	return slices.DeleteFunc(o.ourOf(volumeID, project), func(b *backup) bool { return !o.restorable(b) })
}

// above are the incrementals of ours of the same project that follow on a backup, up to the next full of ours.
func (o *Oracle) above(of *backup) (all []*backup) {
	for _, b := range o.ourOf(of.volume, of.project) {
		switch {
		case !b.data.After(of.data):
		case b.parent == "" && b.state != "error":
			return all
		default:
			all = append(all, b)
		}
	}
	return all
}

// children are the backups that stand on one and are still there.
func (o *Oracle) children(of *backup) (all []*backup) {
	for _, b := range o.volumes[of.volume].held {
		if b.parent == of.id {
			all = append(all, b)
		}
	}
	return all
}
