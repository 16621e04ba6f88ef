package tasks

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"staffeln/internal/telemetry"
	"staffeln/internal/testkit"
)

func TestDispatch_OutcomeByStateOfTaskThatHoldsTheID(t *testing.T) {
	poll := Item{Kind: VolumePoll, VolumeID: "v", RecordID: "r1"}
	backup := Item{Kind: VolumeBackup, VolumeID: "v", RecordID: "r1"}
	other := Item{Kind: VolumeBackup, VolumeID: "v", RecordID: "r2"}
	retention := Item{Kind: VolumeRetention, VolumeID: "v"}
	abandoned, idle := backup, backup
	abandoned.Abandoned, idle.Idle = true, true
	for _, c := range []struct {
		name    string
		held    asynq.TaskState
		by      Item
		wanted  Item
		outcome Outcome
		state   string
		kind    Kind
	}{
		{"pending, the same", asynq.TaskStatePending, backup, backup, Waiting, "pending", VolumeBackup},
		{"pending, of another kind", asynq.TaskStatePending, retention, backup, Waiting, "pending", VolumeRetention},
		{"pending though abandoned", asynq.TaskStatePending, backup, abandoned, Waiting, "pending", VolumeBackup},
		{"active", asynq.TaskStateActive, backup, poll, Waiting, "active", VolumeBackup},
		{"active and abandoned", asynq.TaskStateActive, backup, abandoned, Bypassed, "active", VolumeBackup},
		{"active and idle, with a lease in Redis", asynq.TaskStateActive, backup, idle, Waiting, "active", VolumeBackup},
		{"pending though idle", asynq.TaskStatePending, backup, idle, Waiting, "pending", VolumeBackup},
		{"scheduled, the same", asynq.TaskStateScheduled, backup, backup, Waiting, "scheduled", VolumeBackup},
		{"scheduled, of another kind", asynq.TaskStateScheduled, poll, backup, Replaced, "pending", VolumeBackup},
		{"retry, the same", asynq.TaskStateRetry, backup, backup, Waiting, "retry", VolumeBackup},
		{"retry, of another kind", asynq.TaskStateRetry, retention, poll, Replaced, "pending", VolumePoll},
		{"retry, of another record", asynq.TaskStateRetry, other, backup, Replaced, "pending", VolumeBackup},
		{"archived", asynq.TaskStateArchived, backup, backup, Revived, "pending", VolumeBackup},
		{"completed", asynq.TaskStateCompleted, backup, backup, Revived, "pending", VolumeBackup},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := newQueue(t)
			q.hold(c.held, c.by)
			if c.held == asynq.TaskStateRetry || c.held == asynq.TaskStateCompleted {
				require.NoError(t, q.inspect.PauseQueue(Volumes)) // else the server that holds the task would take the next one too
			}
			client, _ := q.newClient()
			outcomes, err := client.Dispatch(t.Context(), []Item{c.wanted})
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("%s 1", c.outcome), outcomes.String())
			state, kind := q.task("volume:v")
			require.Equal(t, c.state, state)
			require.Equal(t, c.kind, kind)
		})
	}
}

func TestDispatch_FillsEmptiedRedisAndRegistersItsQueue(t *testing.T) {
	q := newQueue(t)
	client, _ := q.newClient()
	items := []Item{{Kind: VolumeBackup, VolumeID: "a", RecordID: "1"}, {Kind: VolumePoll, VolumeID: "b", RecordID: "2"}}
	for range 2 {
		outcomes, err := client.Dispatch(t.Context(), items)
		require.NoError(t, err)
		require.Equal(t, "enqueued 2", outcomes.String())
		queues, err := q.inspect.Queues()
		require.NoError(t, err)
		require.Equal(t, []string{Volumes}, queues, "a client that outlives the data would not register the queue again")
		require.NoError(t, q.rdb.FlushDB(t.Context()).Err())
	}
}

func TestDispatch_BypassesAbandonedTaskUpToLimit(t *testing.T) {
	q := newQueue(t)
	item := Item{Kind: VolumeBackup, VolumeID: "v", RecordID: "r", Abandoned: true}
	q.hold(asynq.TaskStateActive, item)
	log := new(lines)
	metrics := telemetry.NewMetrics()
	client := NewClient(q.rdb, zerolog.New(log), metrics)

	outcomes, err := client.Dispatch(t.Context(), []Item{item})
	require.NoError(t, err)
	require.Equal(t, "bypassed 1", outcomes.String())
	state, _ := q.task("volume:v:2")
	require.Equal(t, "pending", state)
	require.Contains(t, log.String(), `"task":"volume:v:2"`)

	outcomes, err = client.Dispatch(t.Context(), []Item{item})
	require.NoError(t, err)
	require.Equal(t, "waiting 1", outcomes.String(), "the suffixed one is waited for")

	for range 2 { // each new server takes one more, and hangs
		q.serve(func(ctx context.Context, _ *asynq.Task) error { <-ctx.Done(); return nil })
		testkit.Eventually(t, "taken", soon, func() bool { i, err := q.inspect.GetQueueInfo(Volumes); return err == nil && i.Pending == 0 })
		outcomes, err = client.Dispatch(t.Context(), []Item{item})
		require.NoError(t, err)
	}
	require.Equal(t, "waiting 1", outcomes.String())
	require.Equal(t, suffixes, q.size())
	require.Contains(t, log.String(), "task not enqueued")
}

// Redis may lose the lease of an active task: then nobody takes the task over, and only the volume's own lease shows whether
// a handler works on it.
func TestDispatch_BypassesActiveTaskWithoutLeaseOfIdleVolume(t *testing.T) {
	q := newQueue(t)
	item := Item{Kind: VolumeBackup, VolumeID: "v", RecordID: "r"}
	q.hold(asynq.TaskStatePending, item)
	require.NoError(t, q.rdb.RPopLPush(t.Context(), "asynq:{volumes}:pending", "asynq:{volumes}:active").Err())
	require.NoError(t, q.rdb.HSet(t.Context(), "asynq:{volumes}:t:volume:v", "state", "active").Err())
	client, log := q.newClient()
	outcomes, err := client.Dispatch(t.Context(), []Item{item})
	require.NoError(t, err)
	require.Equal(t, "waiting 1", outcomes.String(), "its handler may have begun a moment ago")
	item.Idle = true
	outcomes, err = client.Dispatch(t.Context(), []Item{item})
	require.NoError(t, err)
	require.Equal(t, "bypassed 1", outcomes.String())
	state, kind := q.task("volume:v:2")
	require.Equal(t, "pending", state)
	require.Equal(t, VolumeBackup, kind)
	require.Contains(t, log.String(), "orphaned active task bypassed")
	outcomes, err = client.Dispatch(t.Context(), []Item{item})
	require.NoError(t, err)
	require.Equal(t, "waiting 1", outcomes.String(), "the suffixed one is waited for")
}

func TestDispatch_ReturnsErrorForKeyWithoutTask(t *testing.T) {
	q := newQueue(t)
	q.hold(asynq.TaskStatePending, Item{Kind: VolumePoll, VolumeID: "other"})
	require.NoError(t, q.rdb.HSet(t.Context(), "asynq:{volumes}:t:volume:v", "result", "x").Err(), "what a ResultWriter leaves behind")
	client, _ := q.newClient()
	outcomes, err := client.Dispatch(t.Context(), []Item{{Kind: VolumeBackup, VolumeID: "v", RecordID: "r"}})
	require.ErrorContains(t, err, "dispatch volume:v")
	require.Equal(t, "unknown 1", outcomes.String())
}

func TestDispatch_RefusesUnknownKindAndMissingID(t *testing.T) {
	q := newQueue(t)
	client, _ := q.newClient()
	for _, item := range []Item{{Kind: ReportSend, VolumeID: "v"}, {Kind: VolumePoll}, {VolumeID: "v"}} {
		_, err := client.Dispatch(t.Context(), []Item{item})
		require.ErrorContains(t, err, "want a kind of the table, and an ID")
	}
}

func TestDispatch_StopsAskingUnresponsiveRedis(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }() // accepts connections into its backlog, and never responds
	rdb, err := Connect("redis://:secret@" + listener.Addr().String())
	require.NoError(t, err)
	defer func() { require.NoError(t, rdb.Close()) }()
	items := make([]Item, 500)
	for i := range items {
		items[i] = Item{Kind: VolumePoll, VolumeID: fmt.Sprint(i)}
	}
	metrics := telemetry.NewMetrics()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	outcomes, err := NewClient(rdb, zerolog.Nop(), metrics).Dispatch(ctx, items)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "secret")
	require.Equal(t, len(items), outcomes.Total())
	require.Positive(t, outcomes[Unknown])
	require.Equal(t, len(items), outcomes[Unknown]+outcomes[NotSent])
	require.LessOrEqual(t, len(err.Error()), 1000)
	count, err := testutil.GatherAndCount(metrics.Registry, "staffeln_tasks_dispatched_total")
	require.NoError(t, err)
	require.Equal(t, 2, count)
}

// Two schedulers dispatch the same thousand volumes ten times while a worker takes them: there are never two tasks of one
// volume, and never two handlers of one volume at the same time.
func TestDispatch_TwoSchedulersEnqueueOneTaskPerVolume(t *testing.T) {
	q := newQueue(t)
	items := make([]Item, 1000)
	for i := range items {
		items[i] = Item{Kind: VolumeBackup, VolumeID: fmt.Sprintf("v%d", i), RecordID: fmt.Sprintf("r%d", i)}
	}
	twice := make(chan string, 1)
	sampled, stop := make(chan int, 1), make(chan struct{})
	go func() { sampled <- sample(q, twice, stop) }()

	serveCtx, drain := context.WithCancel(t.Context())
	served := make(chan error, 1)
	running := new(sync.Map)
	handle := func(_ context.Context, v VolumeTask) error {
		if _, beside := running.LoadOrStore(v.VolumeID, true); beside {
			t.Errorf("two handlers of %s at once", v.VolumeID)
		}
		running.Delete(v.VolumeID)
		return nil
	}
	go func() {
		served <- Serve(serveCtx, q.rdb, ServerConfig{
			Concurrency: 4, PollPeriod: time.Second, CheckInterval: 10 * time.Millisecond, Log: zerolog.Nop(), Metrics: telemetry.NewMetrics(),
		}, Handlers{Backup: handle})
	}()

	var wait sync.WaitGroup
	for range 2 {
		client, _ := q.newClient()
		wait.Go(func() {
			for range 10 {
				outcomes, err := client.Dispatch(t.Context(), items)
				if err != nil || outcomes[Enqueued]+outcomes[Waiting] != len(items) {
					t.Errorf("outcomes %v, error %v", outcomes, err)
				}
			}
		})
	}
	wait.Wait()
	close(stop)
	require.Positive(t, <-sampled)
	drain()
	require.NoError(t, <-served)
	select {
	case id := <-twice:
		t.Fatalf("two tasks of one volume: %s", id)
	default:
	}
}

// sample searches volumes with two tasks until it is stopped, and returns how often it searched.
func sample(q *queue, twice chan<- string, stop <-chan struct{}) (samples int) {
	for {
		select {
		case <-stop:
			return samples
		default:
		}
		ids := map[string]string{} // by volume
		for _, list := range []func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
			q.inspect.ListPendingTasks, q.inspect.ListActiveTasks, q.inspect.ListRetryTasks, q.inspect.ListScheduledTasks,
		} {
			listed, err := list(Volumes, asynq.PageSize(10_000))
			if err != nil {
				continue // no queue yet
			}
			for _, info := range listed {
				v, err := decode(info.Payload)
				if before, seen := ids[v.VolumeID]; err != nil || seen && before != info.ID {
					select {
					case twice <- info.ID:
					default:
					}
				}
				ids[v.VolumeID] = info.ID
			}
		}
		samples++
	}
}
