package e2e

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// Redis loses all it has, again and again, in the middle of forty backups that
// two workers make: each is made once, and none is lost.
func TestQueueEmptied(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 0, 0
		set.BackupServicePeriod = backup.Duration(6 * time.Hour)
		o.BackupTime = cloudsim.Fixed(3 * time.Minute)
	})
	w.serve()
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 40)
	chance := rand.New(rand.NewPCG(16, 40)) // the same moments at each run
	w.plan()
	for w.count("state = 'available'") < 40 {
		require.Less(t, w.clock.Now().Sub(noon), 3*time.Hour, "backups do not end")
		require.NoError(t, w.sched.Dispatch(w.ctx, w.beat()))
		for range chance.IntN(400) {
			require.NoError(t, w.rdb.Ping(w.ctx).Err()) // a moment later, in the middle of the work
		}
		require.NoError(t, w.rdb.FlushDB(w.ctx).Err())
		w.step(30 * time.Second)
	}
	for _, v := range volumes {
		require.Equal(t, "available", w.story(v))
		require.Len(t, w.sim.BackupsOf(v), 1)
	}
	require.Equal(t, 40, w.sim.Counts()[createRoute])
	w.lawful()
}

// A task that somebody archived by hand would block its volume for ninety days:
// the next dispatch run revives it.
func TestArchivedTasksAreRevived(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.stop()
	_, volumes := w.protect(w.sim.AddProject("acme"), "web-1", 3)
	w.plan()
	require.NoError(t, w.sched.Dispatch(w.ctx, w.beat()))
	n, err := asynq.NewInspectorFromRedisClient(w.rdb).ArchiveAllPendingTasks("volumes")
	require.NoError(t, err)
	require.Equal(t, 3, n)
	w.serve()
	w.dispatch()
	w.step(time.Minute)
	w.dispatch()
	for _, v := range volumes {
		require.Equal(t, "available", w.story(v))
	}
	w.lawful()
}
