package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// Case C4: whichever event ends the protection, the floor holds for PROTECTION_GRACE and not longer. The finding with its date
// remains until the restore points are gone.
func TestFloorHoldsForTheGraceAfterProtectionEnds(t *testing.T) {
	for name, end := range map[string]func(w *environment, server, volume string) backup.Reason{
		"metadata false": func(w *environment, server, _ string) backup.Reason {
			w.Sim.SetMetadata(server, w.Settings.BackupMetadataKey, "false")
			return backup.EndMetadata
		},
		"key removed": func(w *environment, server, _ string) backup.Reason {
			w.Sim.DeleteMetadata(server, w.Settings.BackupMetadataKey)
			return backup.EndMetadata
		},
		"detached": func(w *environment, server, volume string) backup.Reason {
			w.Sim.Detach(server, volume)
			return backup.EndDetached
		},
		"server deleted": func(w *environment, server, _ string) backup.Reason {
			w.Sim.DeleteServer(server)
			return backup.EndServerDeleted
		},
		"volume deleted": func(w *environment, server, volume string) backup.Reason {
			w.Sim.DeleteServer(server)
			w.Sim.DeleteVolume(volume)
			return backup.EndVolumeDeleted
		},
		"transferred": func(w *environment, server, volume string) backup.Reason {
			w.Sim.DeleteServer(server)
			w.Sim.TransferVolume(volume, w.Sim.AddProject("globex"))
			return backup.EndTransferred
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, server, volume := withGrace(t)
			reason := end(w, server, volume)
			w.Advance(3*time.Hour, time.Hour)
			require.Equal(t, 1, w.endedProtections("reason = '"+string(reason)+"'"))
			w.Advance(6*day, time.Hour)
			require.Equal(t, 2, w.Count("state = 'available'"), "past its retention twice, under the grace")
			require.Empty(t, w.events(cloudsim.BackupDeletion, volume))
			found := w.findings(backup.ProtectionEnded)
			require.Len(t, found, 1)
			require.Equal(t, w.Sim.Project("acme"), found[0].ProjectID)
			require.Contains(t, found[0].Detail, reason.Sentence())
			require.Contains(t, found[0].Detail, "The last restore point is removed on 2026-03-10")
			w.Advance(2*day, time.Hour)
			require.Zero(t, w.Count("state = 'available'"), "the grace is over")
			require.Empty(t, w.findings(backup.ProtectionEnded), "no restore point is left to report")
			require.Zero(t, w.endedProtections("true"))
			w.requireInvariants()
		})
	}
}

// If protection returns within the grace, no restore point is lost, and the finding ends.
func TestProtectionBackWithinTheGraceLosesNothing(t *testing.T) {
	t.Parallel()
	w, server, volume := withGrace(t)
	w.Sim.SetMetadata(server, w.Settings.BackupMetadataKey, "false")
	w.Advance(5*day, time.Hour)
	require.Len(t, w.findings(backup.ProtectionEnded), 1)
	w.Sim.SetMetadata(server, w.Settings.BackupMetadataKey, "true")
	w.Advance(2*time.Hour, time.Hour)
	require.Empty(t, w.findings(backup.ProtectionEnded))
	require.Zero(t, w.endedProtections("true"))
	require.Empty(t, w.events(cloudsim.BackupDeletion, volume))
	w.requireInvariants()
}

// withGrace returns an environment with a volume of two restore points, a retention of three days, and a floor with a grace of
// a week.
func withGrace(t *testing.T) (w *environment, server, volume string) {
	t.Helper()
	w = daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.RetentionTime, set.MinRestorePoints = backup.Period{Days: 3}, 2
		set.ProtectionGrace = backup.Duration(7 * day)
	})
	server, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(36*time.Hour, time.Hour)
	require.Equal(t, 2, w.Count("state = 'available'"))
	return w, server, volumes[0]
}
