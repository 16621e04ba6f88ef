package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// withFourFulls returns an environment with four fulls, the oldest three days old, and a retention of a week in the metadata;
// the default is two days.
func withFourFulls(t *testing.T) (w *environment, server, volume string) {
	t.Helper()
	w = daily(t, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) {
		set.FullBackupDepth, set.RetentionTime = 0, backup.Period{Days: 2}
		set.RetentionMin, set.RetentionShortenDelay = backup.Period{}, backup.Duration(day)
	})
	server, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1, w.Settings.RetentionMetadataKey, "1w")
	w.Advance(3*day+6*time.Hour, 6*time.Hour)
	require.Equal(t, "FFFF", w.Kinds(volumes[0]), "kept for the week that metadata asks for, not for the default")
	return w, server, volumes[0]
}

// An attacker with a tenant's password can shorten the retention or remove the metadata key: nothing is removed before the
// delay is over, and it is reported at once.
func TestShorterRetentionWaitsForItsDelay(t *testing.T) {
	for name, shorten := range map[string]func(*environment, string){
		"value":       func(w *environment, s string) { w.Sim.SetMetadata(s, w.Settings.RetentionMetadataKey, "1d") },
		"key removed": func(w *environment, s string) { w.Sim.DeleteMetadata(s, w.Settings.RetentionMetadataKey) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, server, volume := withFourFulls(t)
			shorten(w, server)
			w.Advance(day-time.Hour, 3*time.Hour)
			require.Empty(t, w.events(cloudsim.BackupDeletion, volume), "not today")
			require.Equal(t, 1, w.logged("warn", "finding", string(backup.RetentionShortened), volume))
			w.Advance(day, 3*time.Hour)
			require.NotEmpty(t, w.events(cloudsim.BackupDeletion, volume), "when the delay is over")
			require.LessOrEqual(t, len(w.Sim.BackupsOf(volume)), 3)
			w.requireInvariants()
		})
	}
}

// A shorter value that is taken back within the delay has no effect; a longer one has its effect at once.
func TestLongerRetentionTakesEffectAtOnce(t *testing.T) {
	t.Parallel()
	w, server, volume := withFourFulls(t)
	w.Sim.SetMetadata(server, w.Settings.RetentionMetadataKey, "1h")
	w.Advance(12*time.Hour, 6*time.Hour)
	w.Sim.SetMetadata(server, w.Settings.RetentionMetadataKey, "10d")
	w.Advance(6*day, 6*time.Hour)
	require.Empty(t, w.events(cloudsim.BackupDeletion, volume), "the week is over, the ten days are not")
	w.requireInvariants()
}

// The retention of a volume is not shortened by a server that is deleted, detached or not listed, or whose metadata is
// unreadable.
func TestDeletedOrUnreadableServerDoesNotShortenRetention(t *testing.T) {
	for name, happen := range map[string]func(*environment, string, string){
		"server deleted":  func(w *environment, s, _ string) { w.Sim.DeleteServer(s) },
		"volume detached": func(w *environment, s, v string) { w.Sim.Detach(s, v) },
		"unreadable":      func(w *environment, s, _ string) { w.Sim.SetMetadata(s, w.Settings.RetentionMetadataKey, "0s") },
		"no listing": func(w *environment, _, _ string) {
			w.Sim.AddFault(cloudsim.Fault{Route: "GET /compute/v2.1/servers/detail", Do: cloudsim.Refuse{Status: http.StatusInternalServerError}})
		},
		"empty listing": func(w *environment, _, _ string) {
			w.Sim.AddFault(cloudsim.Fault{Route: "GET /compute/v2.1/servers/detail", Do: cloudsim.Refuse{Status: http.StatusOK, Body: `{"servers": []}`}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, server, volume := withFourFulls(t)
			happen(w, server, volume)
			w.Advance(3*day+12*time.Hour, 6*time.Hour)
			require.Empty(t, w.events(cloudsim.BackupDeletion, volume), "the week is not over")
			w.Advance(day, 6*time.Hour)
			require.NotEmpty(t, w.events(cloudsim.BackupDeletion, volume), "and then it is")
			w.requireInvariants()
		})
	}
}
