package queuemodel_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/internal/queuemodel"
	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
	"staffeln/tasks"
)

const soon = 2 * time.Minute // timeout for other goroutines, on a machine under load

func TestContractOnRealQueue(t *testing.T) {
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) { c.hold(t, newRedisQueue(t)) })
	}
}

// redisQueue is tasks.Client and tasks.Serve with a real Redis. The queue is paused while no worker should take a task.
type redisQueue struct {
	t       *testing.T
	url     string
	rdb     redis.UniversalClient // of the scheduler; its link can be cut
	link    *link
	own     redis.UniversalClient // of the test
	inspect *asynq.Inspector
}

func newRedisQueue(t *testing.T) *redisQueue {
	t.Helper()
	q := &redisQueue{t: t, url: testkit.RedisURL(t)}
	q.rdb, q.link = q.connect()
	q.own, _ = q.connect()
	q.inspect = asynq.NewInspectorFromRedisClient(q.own)
	q.pause()
	return q
}

func (q *redisQueue) connect() (redis.UniversalClient, *link) {
	rdb, err := tasks.Connect(q.url)
	require.NoError(q.t, err)
	q.t.Cleanup(func() { require.NoError(q.t, rdb.Close()) })
	l := new(link)
	rdb.AddHook(l)
	return rdb, l
}

func (q *redisQueue) pause() {
	require.NoError(q.t, q.own.SetNX(q.t.Context(), "asynq:{volumes}:paused", 1, 0).Err())
}

func (q *redisQueue) dispatch(items ...tasks.Item) (counts string, faults bool) {
	outcome, err := tasks.NewClient(q.rdb, zerolog.Nop(), telemetry.NewMetrics()).Dispatch(q.t.Context(), items)
	return outcome.String(), err != nil
}

func (q *redisQueue) state(id string) (queuemodel.State, tasks.Kind) {
	q.t.Helper()
	info, err := q.inspect.GetTaskInfo(tasks.Volumes, id)
	if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
		return queuemodel.None, ""
	}
	require.NoError(q.t, err)
	return queuemodel.State(info.State.String()), tasks.Kind(info.Type)
}

func (q *redisQueue) until(id string, state queuemodel.State) {
	q.t.Helper()
	testkit.Eventually(q.t, id+" is "+string(state), soon, func() bool { is, _ := q.state(id); return is == state })
}

func (q *redisQueue) lose() {
	require.NoError(q.t, q.own.FlushDB(q.t.Context()).Err())
	q.pause()
}

func (q *redisQueue) archive(id string) {
	require.NoError(q.t, q.inspect.ArchiveTask(tasks.Volumes, id))
}
func (q *redisQueue) loseResponse(carriedOut bool) { q.link.loseResponse(carriedOut) }

// later backdates all leases beyond Asynq's limit and starts a new server, which checks for lost leases at its start. Tasks
// whose retry is due become pending soon after.
func (q *redisQueue) later() {
	q.t.Helper()
	ctx := q.t.Context()
	ids, err := q.own.ZRange(ctx, "asynq:{volumes}:lease", 0, -1).Result()
	require.NoError(q.t, err)
	for _, id := range ids {
		require.NoError(q.t, q.own.ZAddXX(ctx, "asynq:{volumes}:lease", redis.Z{Score: float64(time.Now().Add(-time.Minute).Unix()), Member: id}).Err())
	}
	stop := q.serve(q.own, func(context.Context, tasks.VolumeTask) error { return errors.New("the queue is paused") })
	for _, id := range []string{id, second, third} {
		if is, _ := q.state(id); is != queuemodel.None {
			q.until(id, queuemodel.Pending)
		}
	}
	stop()
}

// serve runs a worker that runs one handler at a time, so that it takes no other task. It returns a function that stops the
// worker.
func (q *redisQueue) serve(rdb redis.UniversalClient, handler func(context.Context, tasks.VolumeTask) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- tasks.Serve(ctx, rdb, tasks.ServerConfig{
			Concurrency: 1, PollPeriod: 2 * time.Second, CheckInterval: 10 * time.Millisecond, Log: zerolog.Nop(), Metrics: telemetry.NewMetrics(),
		}, tasks.Handlers{Backup: handler, Poll: handler, Retention: handler})
	}()
	return func() { cancel(); require.NoError(q.t, <-ended) }
}

// start runs a new worker for each run.
func (q *redisQueue) start(id string) run {
	q.t.Helper()
	r := &redisRun{queue: q, id: id, returns: make(chan error, 1)}
	var rdb redis.UniversalClient
	rdb, r.link = q.connect()
	began := make(chan tasks.VolumeTask, 1)
	stop := q.serve(rdb, func(ctx context.Context, v tasks.VolumeTask) error {
		began <- v
		select {
		case err := <-r.returns:
			r.heard.Store(true)
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	r.stop = func() { r.stop = func() {}; stop() }
	q.t.Cleanup(func() { r.link.cut.Store(false); r.stop() })
	require.NoError(q.t, q.inspect.UnpauseQueue(tasks.Volumes))
	select {
	case r.payload = <-began:
	case <-time.After(soon):
		q.t.Fatalf("%s is not started within %s", id, soon)
	}
	q.pause()
	q.until(id, queuemodel.Active)
	return r
}

type redisRun struct {
	queue   *redisQueue
	id      string
	payload tasks.VolumeTask
	returns chan error
	heard   atomic.Bool
	link    *link
	stop    func()
}

func (r *redisRun) volume() tasks.VolumeTask { return r.payload }

// end returns when the worker is done with the task: only then its Serve returns.
func (r *redisRun) end(err error) {
	r.queue.t.Helper()
	r.returns <- err
	testkit.Eventually(r.queue.t, "the handler returns", soon, r.heard.Load)
	r.stop()
}

func (r *redisRun) giveBack() { r.stop() }

// abandon returns from the handler while Redis cannot be reached. For the queue this is the same as the death of the worker.
func (r *redisRun) abandon() {
	r.link.cut.Store(true)
	r.end(nil)
}

// linger cuts the connection to Redis while the handler continues.
func (r *redisRun) linger() { r.link.cut.Store(true) }

var errCut = errors.New("the connection to redis is cut")

// link is the connection of one client to Redis.
type link struct {
	cut atomic.Bool
	// what the next script loses: 0 nothing, 1 its response, 2 the script itself
	lost atomic.Int32
}

func (l *link) loseResponse(carriedOut bool) {
	if carriedOut {
		l.lost.Store(1)
	} else {
		l.lost.Store(2)
	}
}

func (l *link) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *link) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if l.cut.Load() {
			cmd.SetErr(errCut)
			return errCut
		}
		lost := int32(0)
		if cmd.Name() == "evalsha" || cmd.Name() == "eval" {
			lost = l.lost.Swap(0)
		}
		if lost == 2 {
			cmd.SetErr(errCut)
			return errCut
		}
		err := next(ctx, cmd)
		if lost == 1 && redis.HasErrorPrefix(err, "NOSCRIPT") {
			l.lost.Store(1) // the client sends the script again, in full
			return err
		}
		if lost == 1 {
			cmd.SetErr(errCut)
			return errCut
		}
		return err
	}
}

func (l *link) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if l.cut.Load() {
			return errCut
		}
		return next(ctx, cmds)
	}
}
