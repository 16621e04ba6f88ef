package main

import (
	"strings"

	"staffeln/backup"
	"staffeln/laws"
	"staffeln/openstack/cloudsim"
)

// lawFacts are the journal and the tables in the words of the laws. What is ours is told by the user who asked: this
// cloud is the demo's alone. Tags stand in the backups that Cinder still has.
func lawFacts(l *sight, sim *cloudsim.Cloud) laws.Facts {
	tags := map[string]string{}
	for _, b := range sim.Backups() {
		tags[b.ID] = b.Metadata[backup.TagRecord]
	}
	ours := sim.Cast().Service
	var f laws.Facts
	for _, e := range l.journal {
		event := laws.Event{
			At: e.At, Backup: e.Backup, Volume: e.Volume, Project: e.Project, Ours: e.User == ours, Scope: e.Token,
		}
		switch e.Kind {
		case cloudsim.BackupRequested:
			event.Kind, event.Tag = laws.Requested, tags[e.Backup]
			if parent, incremental := strings.CutPrefix(e.Detail, "incremental on "); incremental {
				event.Parent = parent
			}
		case cloudsim.BackupAvailable:
			event.Kind, event.Full = laws.Available, e.Detail == "full"
		case cloudsim.BackupFailed:
			event.Kind = laws.Errored
		case cloudsim.BackupDeletion, cloudsim.BackupForceDeletion:
			event.Kind = laws.RemovalAsked
		case cloudsim.BackupDeleted:
			event.Kind = laws.Removed
		default:
			continue
		}
		f.Journal = append(f.Journal, event)
	}
	for _, r := range l.records {
		f.Records = append(f.Records, laws.Record{
			ID: r.ID, Volume: r.VolumeID, Backup: r.BackupID, State: r.State, Retention: backup.Period{Clock: r.Retention},
		})
	}
	return f
}
