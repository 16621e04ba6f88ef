package witness

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/laws"
	"staffeln/openstack/cloudsim"
)

// The whole way from Cinder's words to those of the laws.
func TestTheJournalInTheWordsOfTheLaws(t *testing.T) {
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
	sim.SetBackupStatus(full, "restoring") // says nothing of what becomes of it
	sim.SetBackupStatus(full, "error")
	sim.SetBackupStatus(full, "available")
	sim.RemoveBackup(late)
	sim.DeleteProject(acme)

	journal, gone := Journal(sim.Journal(), sim, us)
	require.Equal(t, map[string]time.Time{acme: now}, gone)
	zone := sim.Volumes()[0].Zone
	event := func(kind laws.EventKind, id string, change func(*laws.Event)) laws.Event {
		e := laws.Event{At: now, Kind: kind, Backup: id, Volume: volume, Project: acme}
		if kind == laws.Requested {
			e.Ours, e.Scope, e.Home, e.Zone = true, acme, acme, zone
		}
		change(&e)
		return e
	}
	as := func(*laws.Event) {}
	whole := func(e *laws.Event) { e.Full = true }
	require.Equal(t, []laws.Event{
		event(laws.Requested, full, func(e *laws.Event) { e.Tag = "its record" }), event(laws.Available, full, whole),
		event(laws.Requested, link, func(e *laws.Event) { e.Parent = full }), event(laws.Available, link, as),
		event(laws.Requested, tenants, func(e *laws.Event) { e.Ours, e.Tag = false, "its record" }), event(laws.Available, tenants, whole),
		event(laws.Requested, others, func(e *laws.Event) { e.Ours, e.Tag = false, "r" }), event(laws.Available, others, whole),
		event(laws.Requested, late, func(e *laws.Event) { e.Home = globex }), event(laws.Errored, late, as),
		event(laws.Errored, full, as), event(laws.Available, full, as), event(laws.Removed, late, as),
	}, journal)

	listed := map[string]laws.Backup{}
	for _, b := range Listed(sim, us) {
		listed[b.ID] = b
	}
	require.Len(t, listed, 4)
	require.Equal(t, laws.Backup{
		ID: full, Volume: volume, Project: acme, Ours: true, Tag: "its record", Status: backup.StatusAvailable, Kind: backup.Full, Data: now,
	}, listed[full])
	require.Equal(t, backup.Incremental, listed[link].Kind)
	require.True(t, listed[tenants].Foreign)
	require.True(t, listed[others].Foreign)
	require.False(t, listed[others].Ours)
}
