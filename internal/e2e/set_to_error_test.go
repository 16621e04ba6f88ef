package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A restore point that somebody sets to error is reported, does not count, and is not removed by us. Since 2023.1 Cinder
// builds the next backup on the newest available one; that one must not be removed before its dependents.
func TestRestorePointSetToErrorIsReportedAndNotCounted(t *testing.T) {
	for _, release := range []string{cloudsim.Zed, cloudsim.Gazpacho} {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			w := daily(t, func(set *backup.Settings, o *cloudsim.Options) { o.Release = release; fourPlansADay(set, o) })
			_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
			w.Advance(3*day, 6*time.Hour)
			newest := w.LastRecord(volumes[0])
			require.Equal(t, backup.Available, newest.State)
			w.Sim.SetBackupStatus(newest.BackupID, "error")
			w.Step(time.Minute)
			w.Reconcile()
			found := w.findings(backup.StatusUnknown)
			require.Len(t, found, 1)
			require.Equal(t, newest.BackupID, found[0].Object)
			w.Advance(12*day, 6*time.Hour)
			require.Zero(t, w.logged("warn", "removal refused, will be tried again"))
			is, there := w.Sim.Backup(newest.BackupID)
			require.True(t, there && is.Status == "error", "no reconcile run has read it")
			w.Sim.SetBackupStatus(newest.BackupID, "available")
			w.Step(time.Minute)
			w.Reconcile()
			require.Empty(t, w.findings(backup.StatusUnknown))
		})
	}
}

// A list that is incomplete is a finding until a plan sees the whole cloud again.
func TestIncompleteListIsAFinding(t *testing.T) {
	t.Parallel()
	w := daily(t, func(_ *backup.Settings, o *cloudsim.Options) { o.MaxLimit = 2 })
	w.Protect(w.Sim.AddProject("acme"), "web-1", 5)
	w.Plan()
	endFault := w.Sim.AddFault(cloudsim.Fault{
		Route: "GET /volume/v3/{project}/volumes/detail", Match: func(r cloudsim.Request) bool { return r.Query.Get("marker") != "" },
		Do: cloudsim.Refuse{Status: http.StatusOK, Body: "<html>Welcome</html>", Header: http.Header{"Content-Type": {"text/html"}}},
	})
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	found := w.findings(backup.NotSeen)
	require.Len(t, found, 1)
	require.Equal(t, "volumes", found[0].Object)
	endFault()
	w.Step(w.Settings.BackupServicePeriod.Std())
	w.Plan()
	require.Empty(t, w.findings(backup.NotSeen))
}
