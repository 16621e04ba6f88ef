package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// Redis is emptied several times during forty backups by two workers: each is made once.
func TestEmptiedQueueLosesNoBackup(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
		set.BackupServicePeriod = backup.Duration(6 * time.Hour)
		o.BackupTime = cloudsim.Fixed(3 * time.Minute)
	})
	w.StartWorker()
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 40)
	chance := rand.New(rand.NewPCG(16, 40)) // the same moments in each run
	w.Plan()
	for w.Count("state = 'available'") < 40 {
		require.Less(t, w.Clock.Now().Sub(rig.Noon), 3*time.Hour, "backups do not end")
		require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
		for range chance.IntN(400) {
			require.NoError(t, w.Redis.Ping(w.Ctx).Err()) // a moment later, while the workers work
		}
		require.NoError(t, w.Redis.FlushDB(w.Ctx).Err())
		w.Step(30 * time.Second)
	}
	for _, v := range volumes {
		require.Equal(t, "available", w.History(v))
		require.Len(t, w.Sim.BackupsOf(v), 1)
	}
	require.Equal(t, 40, w.Sim.Counts()[rig.CreateRoute])
	w.requireInvariants()
}

// An archived task would block its volume for ninety days: the next dispatch run runs it again.
func TestArchivedTasksAreRevived(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.StopWorker()
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 3)
	w.Plan()
	require.NoError(t, w.Scheduler.Dispatch(w.Ctx, w.BeginRun()))
	n, err := asynq.NewInspectorFromRedisClient(w.Redis).ArchiveAllPendingTasks("volumes")
	require.NoError(t, err)
	require.Equal(t, 3, n)
	w.StartWorker()
	w.Dispatch()
	w.Step(time.Minute)
	w.Dispatch()
	for _, v := range volumes {
		require.Equal(t, "available", w.History(v))
	}
	w.requireInvariants()
}
