package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/tasks"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) *time.Time { return new(now.Add(d)) }

// The task that one record needs, for each state and listing.
func TestNextTaskOfRecordByStateAndListing(t *testing.T) {
	listed := transitional{creating: map[string]bool{"b": true}, deleting: map[string]bool{"b": true}}
	left := transitional{creating: map[string]bool{}, deleting: map[string]bool{}}
	unread := transitional{}
	for _, c := range []struct {
		name         string
		work         db.Work
		transitional transitional
		want         tasks.Kind
		begins       bool
	}{
		{"admitted", db.Work{State: backup.Planned}, left, tasks.VolumeBackup, false},
		{"waits for its next try", db.Work{State: backup.Planned, NextTryAt: at(time.Second)}, left, "", false},
		{"its next try has come", db.Work{State: backup.Planned, NextTryAt: at(0)}, left, tasks.VolumeBackup, false},
		{"asked, no response", db.Work{State: backup.Creating}, left, tasks.VolumeBackup, false},
		{"still creating", db.Work{State: backup.Creating, BackupID: "b", Deadline: at(time.Hour)}, listed, "", false},
		{"left the listing", db.Work{State: backup.Creating, BackupID: "b", Deadline: at(time.Hour)}, left, tasks.VolumePoll, false},
		{"listing not read", db.Work{State: backup.Creating, BackupID: "b", Deadline: at(time.Hour)}, unread, "", false},
		{"at its deadline", db.Work{State: backup.Creating, BackupID: "b", Deadline: at(0)}, listed, tasks.VolumePoll, false},
		{"past it, listing not read", db.Work{State: backup.Creating, BackupID: "b", Deadline: at(-time.Hour)}, unread, tasks.VolumePoll, false},
		{"overdue", db.Work{State: backup.Overdue, BackupID: "b"}, listed, tasks.VolumePoll, false},
		{"still deleting", db.Work{State: backup.Deleting, BackupID: "b"}, listed, "", false},
		{"no longer deleting", db.Work{State: backup.Deleting, BackupID: "b"}, left, tasks.VolumeRetention, false},
		{"deleting, listing not read", db.Work{State: backup.Deleting, BackupID: "b"}, unread, "", false},
		{"leftover", db.Work{State: backup.Failed, BackupID: "b"}, left, tasks.VolumeRetention, true},
		{"undeletable, tomorrow", db.Work{State: backup.Undeletable, BackupID: "b", NextTryAt: at(time.Hour)}, left, "", false},
		{"undeletable, today", db.Work{State: backup.Undeletable, BackupID: "b", NextTryAt: at(-time.Hour)}, left, tasks.VolumeRetention, true},
		{"removal due", db.Work{}, left, tasks.VolumeRetention, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			kind, begins := nextTask(now, c.work, c.transitional)
			require.Equal(t, c.want, kind)
			require.Equal(t, c.begins, begins)
		})
	}
}

// A volume gets one task, the one that it needs first.
func TestDispatchChoosesOneTaskPerVolume(t *testing.T) {
	work := []db.Work{
		{VolumeID: "v", RecordID: "leftover", State: backup.Failed, BackupID: "x"},
		{VolumeID: "v", RecordID: "planned", State: backup.Planned},
		{VolumeID: "v", RecordID: "overdue", State: backup.Overdue, BackupID: "y", Abandoned: true},
		{VolumeID: "w", State: ""},
		{VolumeID: "w", RecordID: "new", State: backup.Planned, StillSince: now},
		{VolumeID: "x", RecordID: "left alone", State: backup.Planned, StillSince: now.Add(-time.Hour)},
		{VolumeID: "leased", RecordID: "r", State: backup.Planned, Leased: true},
	}
	require.Equal(t, []tasks.Item{
		{Kind: tasks.VolumePoll, VolumeID: "v", RecordID: "overdue", Abandoned: true},
		{Kind: tasks.VolumeBackup, VolumeID: "w", RecordID: "new"},
		{Kind: tasks.VolumeBackup, VolumeID: "x", RecordID: "left alone", Idle: true},
	}, choose(now, work, transitional{}, 0))
}

// A volume is idle if nobody holds its lease and nothing happened for two leases, however
// long the queue is.
func TestVolumeIsIdleAfterTwoLeasesWithoutHandler(t *testing.T) {
	lately, long := now.Add(-2*tasks.LeaseTime), now.Add(-2*tasks.LeaseTime-time.Second)
	require.True(t, idle(now, db.Work{StillSince: long}))
	require.False(t, idle(now, db.Work{StillSince: lately}))
	require.False(t, idle(now, db.Work{StillSince: long, Leased: true}))
	require.False(t, idle(now, db.Work{StillSince: long, Abandoned: true}), "an abandoned volume is not an idle one")
}

// Removals in progress delay new ones, but not the confirmation of those that
// are gone.
func TestRemovalCapDelaysNewRemovalsButNotConfirmations(t *testing.T) {
	work := []db.Work{
		{VolumeID: "a", RecordID: "1", State: backup.Deleting, BackupID: "gone"},
		{VolumeID: "b", RecordID: "2", State: backup.Deleting, BackupID: "deleting"},
		{VolumeID: "c"},
		{VolumeID: "d"},
		{VolumeID: "e"},
	}
	b := transitional{deleting: map[string]bool{"deleting": true}}
	volumes := func(limit int) (ids string) {
		for _, item := range choose(now, work, b, limit) {
			ids += item.VolumeID
		}
		return ids
	}
	require.Equal(t, "a", volumes(1))
	require.Equal(t, "a", volumes(2))
	require.Equal(t, "ac", volumes(3))
	require.Equal(t, "acde", volumes(0), "0 is no cap")
}
