package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// If an attacker transfers a volume to another project and asks for a short retention there, the retention of the former
// owner's backups does not change.
func TestTransferShortensNothingOfTheFormerOwner(t *testing.T) {
	t.Parallel()
	w, server, volume := withFourFulls(t)
	had := w.Sim.BackupsOf(volume)
	w.Sim.DeleteServer(server)
	thief := w.Sim.AddProject("thief")
	w.Sim.TransferVolume(volume, thief)
	heir := w.Sim.AddServer(thief, "web-2", map[string]string{w.Settings.BackupMetadataKey: "true", w.Settings.RetentionMetadataKey: "1s"})
	w.Sim.Attach(heir, volume)
	w.Advance(3*day+12*time.Hour, 6*time.Hour)
	for _, b := range had {
		require.Equal(t, backup.Available, w.Records("backup_id = $1", b.ID)[0].State, "the week is not over")
	}
	w.Advance(day, 6*time.Hour)
	require.Equal(t, backup.Deleted, w.Records("backup_id = $1", had[0].ID)[0].State, "and then it is")
	w.requireInvariants()
}

// A short retention is shown to one plan, and the volume is unprotected until the delay is over: the delay begins again when
// the short value is back, and is reported.
func TestShorterRetentionCountsOnlyWhilePlansSeeIt(t *testing.T) {
	t.Parallel()
	w, server, volume := withFourFulls(t)
	w.Sim.SetMetadata(server, w.Settings.RetentionMetadataKey, "1s")
	w.Plan()
	w.Sim.SetMetadata(server, w.Settings.BackupMetadataKey, "false")
	w.Advance(day+6*time.Hour, 6*time.Hour)
	w.Sim.SetMetadata(server, w.Settings.BackupMetadataKey, "true")
	w.Advance(22*time.Hour, 30*time.Minute)
	require.Len(t, w.findings(backup.RetentionShortened), 1)
	require.Empty(t, w.events(cloudsim.BackupDeletion, volume), "its delay begins anew")
	w.Advance(6*time.Hour, 30*time.Minute)
	require.NotEmpty(t, w.events(cloudsim.BackupDeletion, volume), "and is over a day after that")
	w.requireInvariants()
}

// Cinder's clock is 400 days ahead, or 60 behind, for one backup: the backup is dated by our own times, so the volume still
// becomes late, the backup is not removed at once, and one finding reports it until Cinder's clock is right again.
func TestWrongCinderClockIsBoundedByOurClock(t *testing.T) {
	for name, skew := range map[string]time.Duration{"ahead": 400 * day, "behind": -60 * day} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) { set.FullBackupDepth = 0 })
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
			w.Sim.SetCinderSkew(skew)
			w.Advance(6*time.Hour, time.Hour)
			w.Sim.SetCinderSkew(0)
			r := w.RecordsOf(volumes[0])[0]
			require.Equal(t, backup.Available, r.State)
			var ours, cinders time.Time
			require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT data_timestamp, cinder_timestamp FROM records WHERE id = $1`, r.ID).Scan(&ours, &cinders))
			require.WithinDuration(t, rig.Noon, ours, time.Hour)
			require.WithinDuration(t, rig.Noon.Add(skew), cinders, time.Hour)
			require.Len(t, w.findings(backup.CinderClock), 1)
			w.Advance(2*day, 6*time.Hour)
			require.Empty(t, w.findings(backup.CinderClock), "those of a whole day are right")
			require.Empty(t, w.events(cloudsim.BackupDeletion, volumes[0]), "nothing is past its three days")
			w.Advance(2*day, 6*time.Hour)
			require.Equal(t, backup.Deleted, w.RecordsOf(volumes[0])[0].State, "and then the first is removed")
		})
	}
}

// A volume is transferred to another project and back: the retention of its first project is not shortened, the shorter value
// waits for its full delay, and is a finding (C2).
func TestRoundTripThroughAnotherProjectShortensNothing(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(set *backup.Settings, _ *cloudsim.Options) {
		set.RetentionTime, set.RetentionMin, set.RetentionShortenDelay = backup.Period{Days: 10}, backup.Period{Days: 1}, backup.Duration(7*day)
	})
	acme, globex := w.Sim.AddProject("acme"), w.Sim.AddProject("globex")
	server, volumes := w.Protect(acme, "web-1", 1)
	w.Advance(3*day, 6*time.Hour)
	w.Sim.Detach(server, volumes[0])
	w.Sim.TransferVolume(volumes[0], globex)
	w.Step(6 * time.Hour)
	w.Plan()
	w.Sim.TransferVolume(volumes[0], acme)
	w.Sim.SetMetadata(server, w.Settings.RetentionMetadataKey, "1d")
	w.Sim.Attach(server, volumes[0])
	w.Step(6 * time.Hour)
	w.Plan()
	var inForce, shorter string
	require.NoError(t, w.Pool.QueryRow(w.Ctx, `SELECT retention::text, coalesce(shorter_retention::text, '') FROM volumes WHERE id = $1`, volumes[0]).Scan(&inForce, &shorter))
	require.Equal(t, []string{"10 days", "1 day"}, []string{inForce, shorter})
	require.Len(t, w.findings(backup.RetentionShortened), 1)
}
