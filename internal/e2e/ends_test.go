package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// The record of a failed backup contains Cinder's complete reason, and its leftover is removed.
func TestBackupEndsInError(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	reason := "Traceback (most recent call last):\n" + strings.Repeat("  File \"/usr/lib/python3/dist-packages/cinder/backup/chunkeddriver.py\"\n", 4)
	reason = reason[:255] // length of Cinder's column
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.FailLater{Reason: reason}})
	w.Advance(5*time.Minute, time.Minute)
	r := w.RecordsOf(volumes[0])[0]
	require.Equal(t, backup.BackupError, r.Reason)
	require.Equal(t, reason, r.ReasonText)
	require.Equal(t, backup.Deleted, r.State)
	require.Equal(t, backup.FailedLeftover, r.RemovalReason)
	w.Advance(time.Hour, time.Minute)
	require.Equal(t, backup.Available, w.LastRecord(volumes[0]).State, "tried again inside the interval")
	require.Len(t, w.RecordsOf(volumes[0]), 2)
	w.requireInvariants()
}

// Each backup has its own deadline, which counts from its own start.
func TestStuckBackupsHaveTheirOwnDeadlines(t *testing.T) {
	stuck := func(t *testing.T, reset bool) (*environment, []string) {
		w := daily(t, fourPlansADay, func(set *backup.Settings, o *cloudsim.Options) {
			set.BackupCycleTimeout, set.StuckReset = backup.Duration(6*time.Hour), reset
			set.BackupServicePeriod = backup.Duration(time.Hour)
			o.BackupTime = cloudsim.Fixed(30 * time.Second)
		})
		_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
		w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 2, Do: cloudsim.Stick{}})
		w.RunDue()
		w.Step(4 * time.Hour)
		_, later := w.Protect(w.Sim.AddProject("globex"), "web-2", 1)
		w.RunDue()
		w.Step(2*time.Hour - time.Minute)
		w.RunDue()
		require.Equal(t, "creating", w.History(volumes[0]), "not before its deadline")
		w.Step(time.Minute)
		w.RunDue()
		require.Equal(t, "overdue", w.History(volumes[0]))
		require.Equal(t, backup.DeadlinePassed, w.LastRecord(volumes[0]).Reason)
		require.Equal(t, 1, w.logged("error", "deadline_passed"))
		require.Equal(t, "creating", w.History(later[0]), "the younger one has its own deadline")
		return w, append(volumes, later...)
	}
	t.Run("a successful backup after the deadline is kept", func(t *testing.T) {
		t.Parallel()
		w, volumes := stuck(t, false)
		w.Step(time.Hour)
		w.RunDue()
		w.Sim.ReleaseBackup(w.LastRecord(volumes[0]).BackupID)
		w.Step(time.Hour)
		w.RunDue()
		require.Equal(t, "available", w.History(volumes[0]))
		require.Len(t, w.Sim.BackupsOf(volumes[0]), 1)
		w.requireInvariants()
	})
	t.Run("a failed backup is removed", func(t *testing.T) {
		t.Parallel()
		w, volumes := stuck(t, false)
		w.Sim.RestartBackupService()
		w.Advance(3*time.Hour, 20*time.Minute)
		for _, v := range volumes {
			r := w.RecordsOf(v)[0]
			require.Equal(t, backup.Deleted, r.State)
			require.Equal(t, "incomplete backup reset on manager restart", r.ReasonText)
			require.Equal(t, backup.Available, w.LastRecord(v).State)
		}
		require.Empty(t, w.events(cloudsim.BackupForceDeletion, ""))
		w.requireInvariants()
	})
	t.Run("force, where the operator allows it", func(t *testing.T) {
		t.Parallel()
		w, volumes := stuck(t, true)
		w.Advance(4*time.Hour, 10*time.Minute)
		r := w.RecordsOf(volumes[0])[0]
		require.Equal(t, backup.Failed, r.State)
		require.Equal(t, backup.BackupGone, r.Reason)
		require.Len(t, w.events(cloudsim.BackupForceDeletion, volumes[0]), 1)
		require.Equal(t, w.Sim.Project("acme"), w.events(cloudsim.BackupForceDeletion, volumes[0])[0].Token)
		is, _ := w.Sim.Volume(volumes[0])
		require.Equal(t, "backing-up", is.Status, "Cinder keeps this status, and would refuse a new backup")
		w.Sim.SetVolumeStatus(volumes[0], "in-use")
		w.Advance(4*time.Hour, 10*time.Minute)
		require.Len(t, w.RecordsOf(volumes[0]), 2, "a new backup is tried")
		w.requireInvariants()
	})
}
