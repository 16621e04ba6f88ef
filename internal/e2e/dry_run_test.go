package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A dry run decides and records, and neither begins nor removes anything, whatever the operator resumes. After it, what was
// planned begins.
func TestDryRun(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(set *backup.Settings, o *cloudsim.Options) {
		set.FullBackupDepth, set.MinRestorePoints, set.DryRun = 1, 0, true
		o.BackupTime = cloudsim.Fixed(time.Minute)
	})
	acme := w.Sim.AddProject("acme")
	server, volumes := w.Protect(acme, "web-1", 1)
	w.Advance(day, time.Hour)
	require.Equal(t, 1, w.Count("state = 'planned' AND kind = 'full'"), "it is recorded what would be done")
	require.Contains(t, oneLine(w.terminal(0, "status")), "Dry run since 2026-03-01 12:00 UTC: backups and removals are planned, and nothing begins.")
	explained := oneLine(w.terminal(0, "explain", volumes[0]))
	require.Contains(t, explained, "The operator, to end the dry run that began at 2026-03-01 12:00")

	require.Contains(t, oneLine(w.run(0, "resume")), "Nothing to resume")
	w.Exec(`DELETE FROM pauses`) // whatever ends the pause, the next dispatch run begins with it again
	w.Advance(day, time.Hour)
	made, _ := w.requests(acme)
	require.Zero(t, made)

	w.Settings.DryRun = false
	w.Assemble()
	w.Advance(4*day, time.Hour)
	made, removed := w.requests(acme)
	require.GreaterOrEqual(t, made, 4)

	w.Settings.DryRun = true
	w.Assemble()
	w.Sim.DeleteServer(server)
	w.Advance(10*day, time.Hour)
	again, now := w.requests(acme)
	require.Equal(t, []int{made, removed}, []int{again, now}, "what expires is not removed")
	require.Zero(t, w.Count("state IN ('deleting', 'creating')"), "what was in progress has been followed to its end")

	w.Settings.DryRun = false
	w.Assemble()
	w.Advance(day, time.Hour)
	require.Zero(t, w.Count("state = 'available'"), "what has expired is removed")
	w.requireInvariants()
}
