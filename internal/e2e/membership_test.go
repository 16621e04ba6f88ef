package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// withBackups returns an environment with one server and a volume with backups of two days.
func withBackups(t *testing.T) (w *environment, server, volume string) {
	t.Helper()
	w = daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.RetentionTime, set.MinRestorePoints = backup.Period{Days: 3}, 1
	})
	server, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(2*day, time.Hour)
	require.Equal(t, "FI", w.Kinds(volumes[0]))
	return w, server, volumes[0]
}

// requireProtected lets days pass and asserts that the protection does not end.
func (w *environment) requireProtected(volume string, days int) {
	w.T.Helper()
	w.Advance(time.Duration(days)*day, time.Hour)
	require.Equal(w.T, 1, w.countVolumes("protected AND gone_at IS NULL"))
	require.Zero(w.T, w.endedProtections("true"))
	require.NotEmpty(w.T, w.Kinds(volume), "the floor holds")
	w.requireInvariants()
}

// A1: the volumes of a shelved server remain protected, with every status that Cinder shows.
func TestShelvedServerRemainsProtected(t *testing.T) {
	t.Parallel()
	w, server, volume := withBackups(t)
	w.Sim.Shelve(server)
	w.requireProtected(volume, 6)
	require.Equal(t, 1, w.countVolumes("status = 'reserved' AND NOT unknown"))
	w.Sim.Unshelve(server)
	w.Advance(day, time.Hour)
	require.NotEmpty(t, w.Kinds(volume))
	w.requireInvariants()
}

// A2: a resize ends no protection, at any status of the volumes.
func TestResizeEndsNoProtection(t *testing.T) {
	for _, status := range []string{"reserved", "attaching", "detaching", "maintenance"} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			w, server, volume := withBackups(t)
			w.Sim.BeginResize(server, status)
			w.requireProtected(volume, 5)
			w.Sim.EndResize(server)
			w.Advance(day, time.Hour)
			w.requireInvariants()
		})
	}
}

// A3 and A7: a server that no list contains is read by ID; without a response, nothing changes.
func TestHiddenServerRemainsProtected(t *testing.T) {
	for name, hide := range map[string]func(*cloudsim.Cloud, string){
		"missing in lists":           func(c *cloudsim.Cloud, s string) { c.HideServer(s) },
		"cell fails by ID":           func(c *cloudsim.Cloud, s string) { c.HideServer(s, cloudsim.HiddenFails) },
		"listed in part by its cell": func(c *cloudsim.Cloud, s string) { c.HideServer(s, cloudsim.HiddenPartial) },
		"soft-deleted":               func(c *cloudsim.Cloud, s string) { c.SoftDelete(s) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, server, volume := withBackups(t)
			hide(w.Sim, server)
			w.requireProtected(volume, 5)
			require.Zero(t, w.Count("state IN ('withdrawn', 'lost')"))
		})
	}
}

// A7: a server that Nova reclaims is gone.
func TestReclaimedServerEndsProtection(t *testing.T) {
	t.Parallel()
	w, server, _ := withBackups(t)
	w.Sim.SoftDelete(server)
	w.Advance(2*time.Hour, time.Hour)
	w.Sim.Reclaim(server)
	w.Advance(2*time.Hour, time.Hour)
	require.Equal(t, 1, w.endedProtections("reason = 'server_deleted'"))
	require.Zero(t, w.countVolumes("protected"))
	w.requireInvariants()
}

// A8: the copy of a volume that is being migrated is not a tenant's volume, and the volume's backups wait.
func TestMigratingVolumeWaits(t *testing.T) {
	t.Parallel()
	w, _, volume := withBackups(t)
	target := w.Sim.BeginMigration(volume)
	w.requireProtected(volume, 2)
	require.Zero(t, w.countVolumes("id = '"+target+"'"))
	require.Empty(t, w.Sim.BackupsOf(target))
	require.Equal(t, "FI", w.Kinds(volume), "no backup while it is copied")
	w.Sim.EndMigration(volume, true)
	w.Advance(2*time.Hour, time.Hour)
	require.Greater(t, len(w.Kinds(volume)), 2)
	w.requireInvariants()
}

// The protection of a detached volume ends when two plans in a row have seen it detached.
func TestDetachedVolumeLosesProtectionAfterTwoPlans(t *testing.T) {
	t.Parallel()
	w, server, volume := withBackups(t)
	w.Sim.Detach(server, volume)
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Equal(t, 1, w.countVolumes("protected AND unknown"))
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Equal(t, 1, w.endedProtections("reason = 'detached'"))
	w.Sim.Attach(server, volume)
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Zero(t, w.endedProtections("true"), "protection is back")
	w.requireInvariants()
}

// More than ten and more than one in ten missing volumes do not count as deleted until the operator confirms it.
func TestMassAbsenceNeedsConfirmation(t *testing.T) {
	t.Parallel()
	w := daily(t)
	server, _ := w.Protect(w.Sim.AddProject("acme"), "web-1", 12)
	w.Protect(w.Sim.AddProject("globex"), "web-2", 1)
	w.Plan()
	w.Sim.DeleteServer(server)
	for range 3 {
		w.Step(w.Settings.BackupServicePeriod.Std())
		w.Plan()
	}
	require.Len(t, w.findings(backup.AbsencesUnconfirmed), 1)
	require.Equal(t, 13, w.countVolumes("protected"))
	require.NoError(t, w.DB.ConfirmLost(w.Ctx))
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Equal(t, 1, w.countVolumes("protected"))
	require.Zero(t, w.Count("state = 'planned' AND volume_id IN (SELECT id FROM volumes WHERE NOT protected)"))
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Empty(t, w.findings(backup.AbsencesUnconfirmed))
	w.requireInvariants()
}
