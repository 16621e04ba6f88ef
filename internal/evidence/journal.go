// Package evidence collects the facts for package invariants: from the journal of a cloudsim, and from the tables
// with SQL. It uses neither our OpenStack client nor our queries, because it must find their errors.
package evidence

import (
	"strings"
	"time"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// Us identifies our backups. If Installation is empty, all backups that our user requested are ours.
type Us struct{ User, Installation string }

// made reports whether a backup with this user and tag is ours. A tenant may have removed the tag.
func (u Us) made(user string, tag map[string]string) bool {
	installation := tag[backup.TagInstallation]
	return user == u.User && (u.Installation == "" || installation == "" || installation == u.Installation)
}

// Journal returns the journal of a cloud as facts, and which projects are gone since when. Tags and zones, which are
// not in the journal, come from the backups and volumes that the cloud still has.
func Journal(events []cloudsim.Event, sim *cloudsim.Cloud, us Us) (journal []invariants.Event, gone map[string]time.Time) {
	tags, zones, homes := map[string]map[string]string{}, map[string]string{}, map[string]string{}
	for _, b := range sim.Backups() {
		tags[b.ID] = b.Metadata
	}
	for _, v := range sim.Volumes() {
		zones[v.ID] = v.Zone
	}
	gone = map[string]time.Time{}
	for _, e := range events {
		switch {
		case e.Kind == cloudsim.VolumeChanged:
			homes[e.Volume] = e.Project
			if e.Detail == "extended" {
				journal = append(journal, invariants.Event{At: e.At, Kind: invariants.Resized, Volume: e.Volume, Project: e.Project})
			}
			continue
		case e.Kind == cloudsim.IdentityChanged && e.Project != "" && strings.HasSuffix(e.Detail, " deleted"):
			gone[e.Project] = e.At
			continue
		}
		event, known := eventOf(e)
		if !known {
			continue
		}
		event.Ours = e.User == us.User
		if event.Kind == invariants.Requested {
			event.Ours, event.Tag = us.made(e.User, tags[e.Backup]), tags[e.Backup][backup.TagRecord]
			event.Home, event.Zone = homes[e.Volume], zones[e.Volume]
		}
		journal = append(journal, event)
	}
	return journal, gone
}

// eventOf converts one entry, as far as the entry alone is enough.
func eventOf(e cloudsim.Event) (event invariants.Event, known bool) {
	event = invariants.Event{At: e.At, Backup: e.Backup, Volume: e.Volume, Project: e.Project, Scope: e.Token}
	switch e.Kind {
	case cloudsim.BackupRequested:
		event.Kind = invariants.Requested
		if parent, incremental := strings.CutPrefix(e.Detail, "incremental on "); incremental {
			event.Parent = parent
		}
	case cloudsim.BackupAvailable:
		event.Kind, event.Full = invariants.Available, e.Detail == "full"
	case cloudsim.BackupFailed:
		event.Kind = invariants.Errored
	case cloudsim.BackupReset:
		resets := map[string]invariants.EventKind{"available": invariants.Available, "error": invariants.Errored}
		event.Kind, event.Reset = resets[e.Detail], true
	case cloudsim.BackupDeletion, cloudsim.BackupForceDeletion:
		event.Kind = invariants.RemovalAsked
	case cloudsim.BackupDeleted:
		event.Kind = invariants.Removed
	case cloudsim.BackupHangs:
		event.Kind = invariants.Hangs
	case cloudsim.BackupUpdated:
		event.Kind = invariants.Updated
	}
	return event, event.Kind != ""
}

// Alarms returns what the cloud itself reports as wrong: a backup lost a backup that it depends on, a deletion came
// with a token of another project (allowed if the backup's project is gone), or cloudsim does not implement a
// request.
func Alarms(events []cloudsim.Event, gone map[string]time.Time) (all []cloudsim.Event) {
	for _, e := range events {
		_, isGone := gone[e.Project]
		if e.Kind == cloudsim.ChainDestroyed || e.Kind == cloudsim.UnknownRoute || e.Kind == cloudsim.ForeignDeletion && !isGone {
			all = append(all, e)
		}
	}
	return all
}

// Caps returns the caps of an installation.
func Caps(set backup.Settings) invariants.Caps {
	return invariants.Caps{
		Total: set.MaxBackupsInProgress, PerProject: set.MaxBackupsInProgressPerProject, PerZone: set.MaxBackupsInProgressPerZone, Slow: set.MaxBackupsSlow,
	}
}

// Listed returns the backups that a cloud has now.
func Listed(sim *cloudsim.Cloud, us Us) (all []invariants.Backup) {
	for _, b := range sim.Backups() {
		kind := backup.Full
		if b.Parent != "" {
			kind = backup.Incremental
		}
		ours := us.made(b.User, b.Metadata)
		all = append(all, invariants.Backup{
			ID: b.ID, Volume: b.Volume, Project: b.Project, Ours: ours, Foreign: !ours, Tag: b.Metadata[backup.TagRecord],
			Status: backup.Status(b.Status), Kind: kind, Data: b.DataTimestamp,
		})
	}
	return all
}
