package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// If no backup is possible now, backup-now prints the reason and writes nothing.
func TestBackupNowRefused(t *testing.T) {
	t.Parallel()
	w := daily(t)
	acme := w.Sim.AddProject("acme")
	_, scratch := w.addNamed(acme, "test-1", "false", "scratch")
	_, inProgress := w.addNamed(acme, "web-1", "true", "in-progress")
	_, detaching := w.addNamed(acme, "web-2", "true", "detaching")
	_, old := w.addNamed(acme, "web-3", "true", "old")
	_, _ = w.addNamed(acme, "web-4", "true", "twin", "twin")
	w.Advance(time.Hour, 15*time.Minute)
	w.Sim.SetVolumeStatus(detaching[0], "detaching")
	w.Sim.DeleteVolume(old[0])
	w.Advance(90*time.Minute, 15*time.Minute)
	w.run(0, "backup-now", inProgress[0])
	records := w.Count("true")

	for volume, want := range map[string]string{
		scratch[0]:    "(not_protected)",
		inProgress[0]: "A backup of the volume is in progress. (backup_in_progress)",
		detaching[0]:  `It was "detaching" at`,
		old[0]:        "(volume_gone)",
	} {
		out := oneLine(w.run(1, "backup-now", volume))
		require.Contains(t, out, want)
		require.Contains(t, out, "staffeln: nothing was planned, for the reason above")
	}
	require.Contains(t, w.run(1, "backup-now", "nowhere"), "no volume has this ID or name, and no server with a protected volume")
	require.Contains(t, w.run(1, "backup-now", "test-1"), "nothing was planned for server test-1 (project acme): Not protected")
	require.Contains(t, w.run(1, "backup-now", "twin"), "2 volumes have that name")
	require.Contains(t, w.run(2, "backup-now"), "name one VOLUME or SERVER")

	w.run(0, "pause", "--project", acme)
	require.Contains(t, oneLine(w.run(1, "backup-now", "web-4")), "The operator paused it: nothing new starts before `staffeln resume`. (paused)")
	require.Equal(t, records, w.Count("true"))
	require.Equal(t, 1, w.Count("manual"))
	require.Len(t, w.lastAudits(10), 2, "nothing was changed, so nothing is audited")
	w.requireInvariants()
}

// A manual backup is the first of its project, within the caps.
func TestBackupNowUnderTheCaps(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgressPerProject = 1
		o.BackupTime = cloudsim.Fixed(10 * time.Minute)
	})
	acme := w.Sim.AddProject("acme")
	_, fresh := w.addNamed(acme, "web-1", "true", "fresh")
	w.Advance(time.Hour, 15*time.Minute)
	_, others := w.addNamed(acme, "web-2", "true", "b", "c", "d")
	w.RunDue()
	require.Equal(t, 1, w.Count("state = 'creating'"))
	require.Equal(t, 2, w.Count("state = 'planned'"), "they have no backup yet, and are first")
	w.run(0, "backup-now", fresh[0])
	w.Dispatch()
	require.Equal(t, 1, w.Count("state = 'creating'"), "the cap holds")
	require.Equal(t, "available planned", w.History(fresh[0]))
	w.Step(11 * time.Minute)
	w.Dispatch()
	w.Dispatch()
	require.Equal(t, "available creating", w.History(fresh[0]), "a manual backup is admitted first")
	require.Equal(t, 1, w.Count("state = 'creating'"))
	w.Advance(time.Hour, 5*time.Minute)
	for _, v := range others {
		require.Equal(t, "F", w.Kinds(v))
	}
	require.Equal(t, "FI", w.Kinds(fresh[0]))
	w.requireInvariants()
}
