package tasks

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = 2 * time.Minute // for what other goroutines do, on a machine under load

// queue is an empty Redis database with helpers for the tests.
type queue struct {
	t       *testing.T
	rdb     redis.UniversalClient
	inspect *asynq.Inspector
	client  *asynq.Client
}

func newQueue(t *testing.T) *queue {
	t.Helper()
	rdb, err := Connect(testkit.RedisURL(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rdb.Close()) })
	return &queue{t, rdb, asynq.NewInspectorFromRedisClient(rdb), asynq.NewClientFromRedisClient(rdb)}
}

// task returns the state and the kind of one task; empty if there is none.
func (q *queue) task(id string) (state string, kind Kind) {
	q.t.Helper()
	info, err := q.inspect.GetTaskInfo(Volumes, id)
	if gone(err) {
		return "", ""
	}
	require.NoError(q.t, err)
	return info.State.String(), Kind(info.Type)
}

func (q *queue) size() int {
	q.t.Helper()
	info, err := q.inspect.GetQueueInfo(Volumes)
	require.NoError(q.t, err)
	return info.Size + info.Completed
}

// hold puts a task of the volume into a state.
func (q *queue) hold(state asynq.TaskState, item Item, opts ...asynq.Option) {
	q.t.Helper()
	id := item.id()
	text, err := encode(item)
	require.NoError(q.t, err)
	opts = append(opts, asynq.Queue(Volumes), asynq.TaskID(id), asynq.MaxRetry(retries))
	var handler asynq.HandlerFunc
	switch state {
	case asynq.TaskStateScheduled, asynq.TaskStateArchived:
		opts = append(opts, asynq.ProcessIn(time.Hour))
	case asynq.TaskStateCompleted:
		opts = append(opts, asynq.Retention(time.Hour))
		handler = func(context.Context, *asynq.Task) error { return nil }
	case asynq.TaskStateRetry:
		handler = func(context.Context, *asynq.Task) error { return context.Canceled }
	case asynq.TaskStatePending, asynq.TaskStateAggregating:
	case asynq.TaskStateActive:
		handler = func(ctx context.Context, _ *asynq.Task) error { <-ctx.Done(); return nil }
	}
	_, err = q.client.Enqueue(asynq.NewTask(string(item.Kind), text), opts...)
	require.NoError(q.t, err)
	if state == asynq.TaskStateArchived {
		require.NoError(q.t, q.inspect.ArchiveTask(Volumes, id))
	}
	if handler != nil {
		q.serve(handler)
	}
	testkit.Eventually(q.t, "task is "+state.String(), soon, func() bool { is, _ := q.task(id); return is == state.String() })
}

// serve runs a plain Asynq server, whose retries wait an hour, until the end of the test.
func (q *queue) serve(handler asynq.HandlerFunc) {
	q.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	server := asynq.NewServerFromRedisClient(q.rdb, asynq.Config{
		Concurrency: 1, Queues: map[string]int{Volumes: 1}, TaskCheckInterval: 10 * time.Millisecond,
		BaseContext:    func() context.Context { return ctx },
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return time.Hour },
		Logger:         newAsynqLog(zerolog.Nop()),
	})
	require.NoError(q.t, server.Start(handler))
	q.t.Cleanup(func() { cancel(); server.Shutdown() })
}

// newClient returns a client and its log.
func (q *queue) newClient() (*Client, *lines) {
	log := new(lines)
	return NewClient(q.rdb, zerolog.New(log), telemetry.NewMetrics()), log
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
