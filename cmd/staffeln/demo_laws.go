package main

import (
	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
)

// lawFacts are the journal and the tables in the words of the laws. What is ours is told by the user who asked: this
// cloud is the demo's alone.
func lawFacts(l *sight, sim *cloudsim.Cloud) invariants.Facts {
	var f invariants.Facts
	f.Journal, f.Gone = evidence.Journal(l.journal, sim, evidence.Us{User: sim.Cast().Service})
	for _, r := range l.records {
		f.Records = append(f.Records, invariants.Record{
			ID: r.ID, Volume: r.VolumeID, Backup: r.BackupID, State: r.State, Kind: r.Kind, Reason: r.Reason,
			Retention: backup.Period{Clock: r.Retention},
		})
	}
	return f
}
