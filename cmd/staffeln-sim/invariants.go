package main

import (
	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/evidence"
	"staffeln/internal/invariants"
)

// factsOf returns the journal and the tables as facts for the invariants. Our backups are those of our user: nobody else
// uses this cloud.
func factsOf(s *snapshot, sim *cloudsim.Cloud) invariants.Facts {
	var f invariants.Facts
	f.Journal, f.Gone = evidence.Journal(s.journal, sim, evidence.Us{User: sim.Cast().Service})
	for _, r := range s.records {
		f.Records = append(f.Records, invariants.Record{
			ID: r.ID, Volume: r.VolumeID, Backup: r.BackupID, State: r.State, Kind: r.Kind, Reason: r.Reason,
			Retention: backup.Period{Clock: r.Retention},
		})
	}
	return f
}
