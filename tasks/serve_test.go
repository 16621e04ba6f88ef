package tasks

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

// served is a running server.
type served struct {
	log     *lines
	metrics *telemetry.Metrics
	drain   func() error // ends it and returns the error of Serve
}

func (q *queue) run(h Handlers) *served {
	q.t.Helper()
	s := &served{log: new(lines), metrics: telemetry.NewMetrics()}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- Serve(ctx, q.rdb, ServerConfig{
			Concurrency: 2, PollPeriod: 50 * time.Millisecond, CheckInterval: 10 * time.Millisecond,
			Log: zerolog.New(s.log), Metrics: s.metrics,
		}, h)
	}()
	s.drain = func() error { cancel(); err := <-ended; ended <- err; return err }
	q.t.Cleanup(func() { _ = s.drain() })
	return s
}

func (q *queue) dispatch(items ...Item) {
	q.t.Helper()
	client, _ := q.newClient()
	_, err := client.Dispatch(q.t.Context(), items)
	require.NoError(q.t, err)
}

func (s *served) handled(t *testing.T, outcome string) bool {
	t.Helper()
	families, err := s.metrics.Registry.Gather()
	require.NoError(t, err)
	for _, f := range families {
		if f.GetName() != "staffeln_tasks_handled_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "outcome" && l.GetValue() == outcome {
					return true
				}
			}
		}
	}
	return false
}

func TestServe_CallsHandlerOfKindWithDeadlineAndLogger(t *testing.T) {
	q := newQueue(t)
	q.dispatch(Item{Kind: VolumeBackup, VolumeID: "a", RecordID: "1"}, Item{Kind: VolumePoll, VolumeID: "b", RecordID: "2"}, Item{Kind: VolumeRetention, VolumeID: "c"})
	type call struct {
		kind Kind
		VolumeTask
		left time.Duration
	}
	calls := make(chan call, 3)
	handler := func(kind Kind) func(context.Context, VolumeTask) error {
		return func(ctx context.Context, v VolumeTask) error {
			until, _ := ctx.Deadline()
			zerolog.Ctx(ctx).Info().Msg("handled " + v.VolumeID)
			calls <- call{kind, v, time.Until(until)}
			return nil
		}
	}
	s := q.run(Handlers{Backup: handler(VolumeBackup), Poll: handler(VolumePoll), Retention: handler(VolumeRetention)})
	got := make(map[Kind]VolumeTask)
	for range 3 {
		c := <-calls
		got[c.kind] = c.VolumeTask
		require.Greater(t, c.left, 50*time.Second)
		require.Less(t, c.left, LeaseTime)
	}
	require.NoError(t, s.drain())
	require.Equal(t, VolumeTask{VolumeID: "a", RecordID: "1"}, got[VolumeBackup])
	require.Equal(t, VolumeTask{VolumeID: "b", RecordID: "2"}, got[VolumePoll])
	require.Equal(t, VolumeTask{VolumeID: "c"}, got[VolumeRetention])
	require.Contains(t, s.log.String(), `"task":"volume:backup","message":"handled a"`)
	require.Zero(t, q.size(), "a task that ended leaves no ID behind")
	require.True(t, s.handled(t, "ok"))
}

func TestServe_DrainsAtOnceAndReturnsUnfinishedTasks(t *testing.T) {
	q := newQueue(t)
	q.dispatch(Item{Kind: VolumeBackup, VolumeID: "v", RecordID: "r"})
	started := make(chan struct{}, 1)
	hang := func(ctx context.Context, _ VolumeTask) error {
		started <- struct{}{}
		<-ctx.Done()
		return errors.Join(errors.New("ask Cinder"), ctx.Err())
	}
	first := q.run(Handlers{Backup: hang})
	<-started
	begun := time.Now()
	require.NoError(t, first.drain())
	require.Less(t, time.Since(begun), 5*time.Second)
	require.True(t, first.handled(t, "draining"))

	info, err := q.inspect.GetTaskInfo(Volumes, "volume:v")
	require.NoError(t, err)
	require.Equal(t, asynq.TaskStateRetry, info.State)
	require.Zero(t, info.Retried, "not a failure")
	require.False(t, info.NextProcessAt.After(time.Now().Add(time.Second)), "due at once")
	all, err := q.inspect.GetQueueInfo(Volumes)
	require.NoError(t, err)
	require.Zero(t, all.Active)

	done := make(chan struct{}, 1)
	q.run(Handlers{Backup: func(context.Context, VolumeTask) error { done <- struct{}{}; return nil }})
	<-done
}

func TestServe_HandlerThatSucceedsDuringDrainIsDone(t *testing.T) {
	q := newQueue(t)
	q.dispatch(Item{Kind: VolumeBackup, VolumeID: "v", RecordID: "r"})
	started := make(chan struct{}, 1)
	s := q.run(Handlers{Backup: func(ctx context.Context, _ VolumeTask) error { started <- struct{}{}; <-ctx.Done(); return nil }})
	<-started
	require.NoError(t, s.drain())
	require.Zero(t, q.size())
}

func TestServe_PanicFailsTaskAndLogsStack(t *testing.T) {
	q := newQueue(t)
	q.dispatch(Item{Kind: VolumePoll, VolumeID: "v", RecordID: "r"})
	runs := make(chan int, 2)
	n := 0
	s := q.run(Handlers{Poll: func(context.Context, VolumeTask) error {
		n++
		runs <- n
		if n == 1 {
			panic("out of range")
		}
		return nil
	}})
	<-runs
	<-runs
	require.NoError(t, s.drain())
	require.Contains(t, s.log.String(), "panic: out of range")
	require.Contains(t, s.log.String(), "serve_test.go")
	require.True(t, s.handled(t, "panic"))
	require.True(t, s.handled(t, "ok"))
}

func TestServe_RetriesFailedTaskWithinPollPeriod(t *testing.T) {
	q := newQueue(t)
	q.dispatch(Item{Kind: VolumePoll, VolumeID: "v", RecordID: "r"})
	runs := make(chan struct{})
	s := q.run(Handlers{Poll: func(ctx context.Context, _ VolumeTask) error {
		select {
		case runs <- struct{}{}:
		case <-ctx.Done():
		}
		return errors.New("ask Cinder: 503")
	}})
	for range 4 { // with delays of 1, 2, 4 seconds it would take longer than with the poll period
		<-runs
	}
	testkit.Eventually(t, "logged", soon, func() bool { return s.handled(t, "error") })
	require.NoError(t, s.drain())
	require.Contains(t, s.log.String(), `"level":"warn"`)
	require.Contains(t, s.log.String(), "ask Cinder: 503")
}

func TestServe_LimitsRunTime(t *testing.T) {
	before := kinds[VolumePoll]
	short := before
	short.timeout = time.Second // Asynq counts whole seconds
	kinds[VolumePoll] = short
	defer func() { kinds[VolumePoll] = before }()
	q := newQueue(t)
	q.dispatch(Item{Kind: VolumePoll, VolumeID: "v", RecordID: "r"})
	ended := make(chan error, 2)
	s := q.run(Handlers{Poll: func(ctx context.Context, _ VolumeTask) error { <-ctx.Done(); ended <- ctx.Err(); return ctx.Err() }})
	for range 2 { // it runs again after the first timeout
		require.ErrorIs(t, <-ended, context.DeadlineExceeded)
	}
	testkit.Eventually(t, "counted", soon, func() bool { return s.handled(t, "time_over") })
	require.NoError(t, s.drain())
}

func TestServe_DropsUnreadableTask(t *testing.T) {
	for name, text := range map[string]string{"no JSON": "{", "a newer version": `{"v":2,"volume_id":"v"}`, "no volume": `{"v":1}`} {
		t.Run(name, func(t *testing.T) {
			q := newQueue(t)
			_, err := q.client.Enqueue(asynq.NewTask(string(VolumePoll), []byte(text)), asynq.Queue(Volumes), asynq.TaskID("volume:v"))
			require.NoError(t, err)
			s := q.run(Handlers{Poll: func(context.Context, VolumeTask) error { t.Error("handled"); return nil }})
			testkit.Eventually(t, "ended", soon, func() bool { return s.handled(t, "not_readable") })
			require.NoError(t, s.drain())
			require.Zero(t, q.size())
			require.Contains(t, s.log.String(), `"level":"error"`)
		})
	}
}

func TestServe_DropsTaskWithoutHandler(t *testing.T) {
	q := newQueue(t)
	_, err := q.client.Enqueue(asynq.NewTask("volume:unheard_of", []byte(`{"v":1,"volume_id":"v"}`)), asynq.Queue(Volumes))
	require.NoError(t, err)
	s := q.run(Handlers{Poll: func(context.Context, VolumeTask) error { return nil }})
	testkit.Eventually(t, "ended", soon, func() bool { return s.handled(t, "not_readable") })
	require.NoError(t, s.drain())
	require.NoError(t, testutil.GatherAndCompare(s.metrics.Registry, stringsReader(`
# HELP staffeln_tasks_handled_total Runs of a task's handler that ended, by kind and outcome.
# TYPE staffeln_tasks_handled_total counter
staffeln_tasks_handled_total{kind="other",outcome="not_readable"} 1
`), "staffeln_tasks_handled_total"), "a kind that somebody made up is no label")
}

func TestServe_RefusesEmptyHandlers(t *testing.T) {
	q := newQueue(t)
	require.EqualError(t, Serve(t.Context(), q.rdb, ServerConfig{}, Handlers{}), "serve tasks: no handler")
}

func TestRetryDelay(t *testing.T) {
	fault := errors.New("503")
	for _, c := range []struct {
		failures int
		err      error
		want     time.Duration
	}{
		{0, fault, time.Second},
		{1, fault, 2 * time.Second},
		{4, fault, 16 * time.Second},
		{5, fault, 30 * time.Second},
		{1000, fault, 30 * time.Second},
		{3, errDraining, 0},
		{3, asynq.ErrLeaseExpired, 0},
	} {
		require.Equal(t, c.want, retryDelay(c.failures, c.err, 30*time.Second))
	}
	require.Equal(t, 500*time.Millisecond, retryDelay(0, fault, 500*time.Millisecond))
	require.False(t, isFailure(errDraining))
	require.False(t, isFailure(asynq.ErrLeaseExpired))
	require.True(t, isFailure(fault))
}

func TestKinds_LeaseIsLongerThanEveryTimeout(t *testing.T) {
	for kind, r := range kinds {
		require.Less(t, r.timeout, LeaseTime, kind)
		require.GreaterOrEqual(t, r.maxRetry, 1000, kind)
	}
}
