package e2e

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
)

// A new leader has the metrics of what the database knows before its first plan: an alert on a late volume must not end because
// a scheduler was restarted. When it does not lead any more, it does not expose them any more.
func TestNewLeaderExposesWhatTheDatabaseKnows(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.Protect(w.Sim.AddProject("acme"), "web-1", 2)
	w.Sim.AddServer(w.Sim.Project("acme"), "web-2", map[string]string{w.Settings.BackupMetadataKey: "perhaps"})
	w.Advance(10*time.Minute, 5*time.Minute)
	w.Step(40 * time.Hour)
	w.Plan()
	require.NoError(t, w.DB.RecordOperatorAction(w.Ctx, db.OperatorAction{Who: "test", Action: db.ActionPause}, func() (string, error) {
		_, err := w.DB.Pause(w.Ctx, db.Pause{Who: "test"})
		return "", err
	}))
	w.Assemble()
	require.Zero(t, w.metric("staffeln_volumes", "state", "late"), "a new process")

	ctx, cancel := context.WithCancel(w.Ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.Scheduler.Run(ctx, w.URL, "next") }()
	w.eventually("the new leader exposes it, although no plan is due", func() bool {
		return w.metric("staffeln_volumes", "state", "late") == 2 && w.metric("staffeln_pauses") == 1 &&
			w.metric("staffeln_findings", "reason", "backup_metadata_unreadable") == 1 &&
			w.metric("staffeln_records", "state", "planned") == 2 && w.metric("staffeln_run_success_timestamp_seconds", "run", "plan") > 0
	})
	cancel()
	require.NoError(t, <-ended)
	n, err := testutil.GatherAndCount(w.Scheduler.Metrics.Registry, "staffeln_volumes", "staffeln_pauses", "staffeln_findings", "staffeln_records")
	require.NoError(t, err)
	require.Zero(t, n)
}

// After the restore of an older dump the new leader compares records and Cinder at once, not when the next reconcile run is due.
func TestNewLeaderComparesRecordsAndCinderAtOnce(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.ReconcilePeriod = backup.Duration(day) })
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	turn := func() *time.Time {
		_, err := w.Scheduler.Turn(w.Ctx, w.Term)
		require.NoError(t, err)
		w.Drain()
		return w.BeginRun().ReconciledAt
	}
	first := turn()
	require.NotNil(t, first)
	w.Step(time.Hour)
	require.Equal(t, first, turn(), "its period is a day")
	w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], Metadata: backup.Tag{Installation: w.Scheduler.Identity.Installation, Record: "forgotten"}.Metadata()})
	w.Lead()
	second := turn()
	require.Equal(t, w.Clock.Now(), second.UTC())
	require.Len(t, w.findings(backup.Orphan), 1)
	for range 5 { // leaders that change each minute
		w.Step(time.Minute)
		w.Lead()
		require.Equal(t, second, turn(), "not again at once")
	}
	w.Step(5 * time.Minute)
	require.Equal(t, w.Clock.Now(), turn().UTC())
}
