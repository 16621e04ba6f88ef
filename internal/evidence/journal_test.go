package evidence

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/invariants"
)

// From Cinder's journal to facts.
func TestJournalAsFacts(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	sim := cloudsim.New(cloudsim.Options{Now: func() time.Time { return now }, Seed: 1})
	acme, globex := sim.AddProject("acme"), sim.AddProject("globex")
	volume := sim.AddVolume(acme, "data", 1)
	alice := sim.AddUser("alice", "alice", "")
	us := Us{User: sim.Cast().Service, Installation: "ours"}
	tag := backup.Tag{Installation: "ours", Record: "its record"}.Metadata()
	add := func(n cloudsim.NewBackup) string { n.Volume = volume; return sim.AddBackup(n) }
	full := add(cloudsim.NewBackup{Metadata: tag})
	link := add(cloudsim.NewBackup{Parent: full})
	tenants := add(cloudsim.NewBackup{User: alice, Metadata: tag})
	others := add(cloudsim.NewBackup{Metadata: backup.Tag{Installation: "another", Record: "r"}.Metadata()})
	sim.TransferVolume(volume, globex)
	late := add(cloudsim.NewBackup{Project: acme, Status: "creating"})
	sim.FailBackup(late, "no space left")
	sim.SetBackupStatus(full, "restoring") // is not a fact
	sim.SetBackupStatus(full, "error")
	sim.SetBackupStatus(full, "available")
	sim.Extend(volume, 2)
	sim.RemoveBackup(late)
	sim.DeleteProject(acme)

	journal, gone := Journal(sim.Journal(), sim, us)
	require.Equal(t, map[string]time.Time{acme: now}, gone)
	zone := sim.Volumes()[0].Zone
	event := func(kind invariants.EventKind, id string, change func(*invariants.Event)) invariants.Event {
		e := invariants.Event{At: now, Kind: kind, Backup: id, Volume: volume, Project: acme}
		if kind == invariants.Requested {
			e.Ours, e.Scope, e.Home, e.Zone = true, acme, acme, zone
		}
		change(&e)
		return e
	}
	as := func(*invariants.Event) {}
	reset := func(e *invariants.Event) { e.Reset = true }
	whole := func(e *invariants.Event) { e.Full = true }
	require.Equal(t, []invariants.Event{
		event(invariants.Requested, full, func(e *invariants.Event) { e.Tag = "its record" }), event(invariants.Available, full, whole),
		event(invariants.Requested, link, func(e *invariants.Event) { e.Parent = full }), event(invariants.Available, link, as),
		event(invariants.Requested, tenants, func(e *invariants.Event) { e.Ours, e.Tag = false, "its record" }), event(invariants.Available, tenants, whole),
		event(invariants.Requested, others, func(e *invariants.Event) { e.Ours, e.Tag = false, "r" }), event(invariants.Available, others, whole),
		event(invariants.Requested, late, func(e *invariants.Event) { e.Home = globex }), event(invariants.Errored, late, as),
		event(invariants.Errored, full, reset), event(invariants.Available, full, reset),
		{At: now, Kind: invariants.Resized, Volume: volume, Project: globex},
		event(invariants.Removed, late, as),
	}, journal)

	require.Empty(t, Alarms(sim.Journal(), gone))
	bad := []cloudsim.Event{{Kind: cloudsim.ChainDestroyed}, {Kind: cloudsim.UnknownRoute}, {Kind: cloudsim.ForeignDeletion, Project: globex}}
	require.Equal(t, bad, Alarms(append(bad, cloudsim.Event{Kind: cloudsim.ForeignDeletion, Project: acme}), gone))

	listed := map[string]invariants.Backup{}
	for _, b := range Listed(sim, us) {
		listed[b.ID] = b
	}
	require.Len(t, listed, 4)
	require.Equal(t, invariants.Backup{
		ID: full, Volume: volume, Project: acme, Ours: true, Tag: "its record", Status: backup.StatusAvailable, Kind: backup.Full, Data: now,
	}, listed[full])
	require.Equal(t, backup.Incremental, listed[link].Kind)
	require.True(t, listed[tenants].Foreign)
	require.True(t, listed[others].Foreign)
	require.False(t, listed[others].Ours)
}
