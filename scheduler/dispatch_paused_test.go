package scheduler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/tasks"
)

// A pause stops what is new; a backup or removal that Cinder has accepted is followed to its end.
func TestDispatchOfPausedVolumesOnlyFollowsWhatCinderHas(t *testing.T) {
	b := transitional{creating: map[string]bool{}, deleting: map[string]bool{}}
	for name, c := range map[string]struct {
		work   db.Work
		paused tasks.Kind
		ever   tasks.Kind
	}{
		"planned":                   {db.Work{State: backup.Planned}, "", tasks.VolumeBackup},
		"asked, without a response": {db.Work{State: backup.Creating}, tasks.VolumeBackup, tasks.VolumeBackup},
		"left the listing":          {db.Work{State: backup.Creating, BackupID: "b"}, tasks.VolumePoll, tasks.VolumePoll},
		"overdue":                   {db.Work{State: backup.Overdue, BackupID: "b"}, tasks.VolumePoll, tasks.VolumePoll},
		"removed, to be confirmed":  {db.Work{State: backup.Deleting, BackupID: "b"}, tasks.VolumeRetention, tasks.VolumeRetention},
		"a leftover":                {db.Work{State: backup.Failed, BackupID: "b"}, "", tasks.VolumeRetention},
		"undeletable, tried again":  {db.Work{State: backup.Undeletable, BackupID: "b"}, "", tasks.VolumeRetention},
		"a removal that became due": {db.Work{}, "", tasks.VolumeRetention},
	} {
		t.Run(name, func(t *testing.T) {
			for paused, want := range map[bool]tasks.Kind{true: c.paused, false: c.ever} {
				w := c.work
				w.VolumeID, w.Paused, w.StillSince = "v", paused, now
				var got tasks.Kind
				for _, item := range choose(now, []db.Work{w}, b, 0) {
					got = item.Kind
				}
				require.Equal(t, want, got, "paused: %v", paused)
			}
		})
	}
}

// A paused record takes neither the task of its volume nor a removal slot.
func TestPausedRecordTakesNoRemovalSlot(t *testing.T) {
	work := []db.Work{
		{VolumeID: "a", Paused: true, StillSince: now},
		{VolumeID: "b", StillSince: now},
		{VolumeID: "c", RecordID: "former owner's", State: backup.Failed, BackupID: "x", StillSince: now},
		{VolumeID: "c", RecordID: "planned", State: backup.Planned, Paused: true, StillSince: now},
	}
	removal := func(volume, record string) tasks.Item {
		return tasks.Item{Kind: tasks.VolumeRetention, VolumeID: volume, RecordID: record}
	}
	require.Equal(t, []tasks.Item{removal("b", "")}, choose(now, work, transitional{}, 1))
	require.Equal(t, []tasks.Item{removal("b", ""), removal("c", "former owner's")}, choose(now, work, transitional{}, 2))
}

// A cancelled backup that Cinder is still creating can't be removed yet. It needs no task
// until it leaves the listing or is past its deadline.
func TestCancelledBackupIsNotRemovedWhileCinderCreatesIt(t *testing.T) {
	w := db.Work{VolumeID: "v", State: backup.Failed, BackupID: "b", Deadline: at(time.Hour), StillSince: now}
	listed := transitional{creating: map[string]bool{"b": true}}
	require.Empty(t, choose(now, []db.Work{w}, listed, 0))
	for name, b := range map[string]transitional{"it left the listing": {creating: map[string]bool{}}, "not read": {}} {
		require.Len(t, choose(now, []db.Work{w}, b, 0), 1, name)
	}
	w.Deadline = at(0)
	require.Len(t, choose(now, []db.Work{w}, listed, 0), 1, "it hangs")

	require.True(t, leftoverDue(now, w))
	for name, change := range map[string]func(*db.Work){
		"paused": func(w *db.Work) { w.Paused = true }, "no leftover": func(w *db.Work) { w.State = backup.Undeletable },
		"refused, not yet again": func(w *db.Work) { w.NextTryAt = at(time.Second) },
	} {
		other := w
		change(&other)
		require.False(t, leftoverDue(now, other), "%s: nothing is listed for it", name)
	}
}
