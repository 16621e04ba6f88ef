package main

import (
	"staffeln/backup"
	"staffeln/internal/witness"
	"staffeln/laws"
	"staffeln/openstack/cloudsim"
)

// lawFacts are the journal and the tables in the words of the laws. What is ours is told by the user who asked: this
// cloud is the demo's alone.
func lawFacts(l *sight, sim *cloudsim.Cloud) laws.Facts {
	var f laws.Facts
	f.Journal, f.Gone = witness.Journal(l.journal, sim, witness.Us{User: sim.Cast().Service})
	for _, r := range l.records {
		f.Records = append(f.Records, laws.Record{
			ID: r.ID, Volume: r.VolumeID, Backup: r.BackupID, State: r.State, Kind: r.Kind, Reason: r.Reason,
			Retention: backup.Period{Clock: r.Retention},
		})
	}
	return f
}
