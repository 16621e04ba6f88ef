package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A project over its quota gets this reason, is tried again after some hours, and is backed up when its quota is raised.
func TestOverQuota(t *testing.T) {
	for _, c := range []struct {
		name               string
		backups, gigabytes int
		words              string
	}{
		{"number", 0, -1, "BackupLimitExceeded: Maximum number of backups allowed (0) exceeded"},
		{"gigabytes", -1, 0, "VolumeBackupSizeExceedsAvailableQuota"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.BackupServicePeriod = backup.Duration(time.Hour) })
			acme := w.Sim.AddProject("acme")
			_, volumes := w.Protect(acme, "web-1", 1)
			_, others := w.Protect(w.Sim.AddProject("globex"), "web-2", 1)
			w.Sim.SetQuota(acme, c.backups, c.gigabytes)
			began := w.Clock.Now()
			w.Advance(10*time.Hour, 30*time.Minute)
			var hours []int
			for _, r := range w.RecordsOf(volumes[0]) {
				require.Equal(t, backup.Failed, r.State)
				require.Equal(t, backup.QuotaExceeded, r.Reason)
				require.Equal(t, backup.Tenant, r.Reason.Whose())
				require.Contains(t, r.ReasonText, c.words)
				require.NotEmpty(t, r.RequestID, "the request that was refused can be found in Cinder's log")
				hours = append(hours, int(r.RequestedAt.Sub(began).Hours()))
			}
			require.Equal(t, []int{0, 6}, hours, "tried again after six hours")
			require.Zero(t, w.logged("error"), "nothing for the operator")
			require.Equal(t, "available", w.History(others[0]), "nobody else suffers")

			w.Sim.SetQuota(acme, -1, -1)
			w.Advance(6*time.Hour, 30*time.Minute)
			require.Equal(t, backup.Available, w.LastRecord(volumes[0]).State, "backed up after 15 hours, not after the interval of 24")
			w.Advance(48*time.Hour, 30*time.Minute)
			require.Equal(t, "FII", w.Kinds(volumes[0]), "failures are no successes and no links")
			w.requireInvariants()
		})
	}
}

// A removal of ours frees quota: the next plan tries again.
func TestFullQuotaIsTriedAgainWhenABackupWasRemoved(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) {
		set.BackupServicePeriod, set.RetentionTime = backup.Duration(time.Hour), backup.Period{Clock: 12 * time.Hour}
		set.RetentionMin, set.MinRestorePoints = backup.Period{Clock: time.Hour}, 0
	})
	acme := w.Sim.AddProject("acme")
	w.Sim.SetQuota(acme, 1, -1)
	w.Protect(acme, "web-1", 2)
	began := w.Clock.Now()
	w.Advance(14*time.Hour-time.Minute, 15*time.Minute)
	require.Equal(t, 1, w.Count("state = 'deleted'"))
	require.Equal(t, 1, w.Count("state = 'available' AND requested_at = $1", began.Add(13*time.Hour)), "the other volume's backup, after a removal freed the quota")
	require.Equal(t, 3, w.Count("state = 'failed' AND reason = 'quota_exceeded'"), "at once, after six hours, after twelve")
	w.requireInvariants()
}

// A raised quota is noticed by the next plan, not after hours; a quota that remains exhausted causes few failures (B4).
func TestRaisedQuotaIsNoticedAtTheNextPlan(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t, nil)
	acme := w.Sim.AddProject("acme")
	w.Sim.SetQuota(acme, 0, 0)
	_, volumes := w.Protect(acme, "web-1", 1)
	w.Advance(5*time.Hour, 10*time.Minute)
	require.LessOrEqual(t, w.Count("volume_id = $1 AND reason = 'quota_exceeded'", volumes[0]), 1, "asked once in hours")
	w.Sim.SetQuota(acme, 10, 10)
	w.Advance(time.Hour, 10*time.Minute)
	require.Equal(t, 1, w.Count("volume_id = $1 AND state = 'available' AND kind = 'full'", volumes[0]))
}
