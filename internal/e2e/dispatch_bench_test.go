package e2e

import (
	"context"
	"flag"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/testkit"
	"staffeln/scheduler"
	"staffeln/tasks"
)

var (
	pageTime     = flag.Duration("page-time", 300*time.Millisecond, "how long the cloud takes for a page of servers or volumes")
	largeVolumes = flag.Int("volumes", 100_000, "how many volumes the large cloud has")
)

// watchedQueue stores the times of the dispatches.
type watchedQueue struct {
	scheduler.Queue
	mu sync.Mutex
	at []time.Time
}

func (q *watchedQueue) Dispatch(ctx context.Context, items []tasks.Item) (tasks.Outcomes, error) {
	q.mu.Lock()
	q.at = append(q.at, time.Now())
	q.mu.Unlock()
	return q.Queue.Dispatch(ctx, items)
}

func (q *watchedQueue) times() []time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]time.Time(nil), q.at...)
}

// BenchmarkDispatchDuringPlan reports the longest time between two dispatch runs while the scheduler plans a large cloud with
// slow pages. The poll period is ten pages long, like the default with pages of 3 s:
//
//	make bench PACKAGES=./internal/e2e FLAGS='-bench DispatchDuringPlan -benchtime 1x -page-time 3s'
func BenchmarkDispatchDuringPlan(b *testing.B) {
	w := newLargeCloud(b, *largeVolumes, func(set *backup.Settings) {
		set.PollPeriod = backup.Duration(max(10**pageTime, time.Second))
		set.BackupServicePeriod = backup.Duration(time.Minute)
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 2000, 0
	})
	queue := &watchedQueue{Queue: w.sched.Queue}
	w.sched.Queue = queue
	w.plan() // so that all volumes are known and wait for their first backup
	const lists = "GET /compute/v2.1/servers/detail"
	for b.Loop() {
		w.exec(`UPDATE leadership SET planned_at = planned_at - interval '1 hour'`)
		endFault := w.sim.AddFault(cloudsim.Fault{
			Match: func(r cloudsim.Request) bool { return r.Route == lists || r.Route == volumesRoute }, Do: cloudsim.Stall{For: *pageTime},
		})
		began, before := time.Now(), len(queue.times())
		planned := w.runUntilPlanned(queue)
		endFault()
		last, longest := began, time.Duration(0)
		for _, at := range queue.times()[before:] {
			longest, last = max(longest, at.Sub(last)), at
		}
		b.ReportMetric(planned.Seconds(), "s/plan")
		b.ReportMetric(longest.Seconds(), "s/longest-distance")
		b.ReportMetric(w.sched.Settings.PollPeriod.Std().Seconds(), "s/poll-period")
	}
}

// runUntilPlanned runs the scheduler until it has planned and then dispatched, and returns how long the plan took.
func (w *largeCloud) runUntilPlanned(queue *watchedQueue) time.Duration {
	w.b.Helper()
	ctx, stop := context.WithCancel(w.b.Context())
	ended := make(chan error, 1)
	began := time.Now()
	go func() { ended <- w.sched.Run(ctx, w.url, "one") }()
	testkit.Eventually(w.b, "a plan", time.Hour, func() (is bool) {
		const q = `SELECT planned_at > staffeln_now() - interval '50 minutes' FROM leadership`
		require.NoError(w.b, w.pool.QueryRow(w.b.Context(), q).Scan(&is))
		return is
	})
	planned := time.Now()
	testkit.Eventually(w.b, "a dispatch after it", time.Hour, func() bool {
		at := queue.times()
		return len(at) > 0 && at[len(at)-1].After(planned.Add(-time.Second)) // possibly at the same time
	})
	stop()
	require.NoError(w.b, <-ended)
	return planned.Sub(began)
}
