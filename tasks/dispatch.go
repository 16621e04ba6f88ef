package tasks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"staffeln/internal/telemetry"
)

const (
	// dispatchConcurrency is how many goroutines talk to Redis during a dispatch run: more gain nothing (measured).
	dispatchConcurrency = 16
	// breakerThreshold is the number of items without a response after which Redis is taken as unreachable. The other items
	// wait for the next run. Each item without a response has cost its timeout.
	breakerThreshold = 2 * dispatchConcurrency
	// maxFaults limits the errors that one dispatch run returns: three equal errors show as much as ten thousand.
	maxFaults = 3
)

// An Item is one task that a volume, or a group of reports, needs in the queue.
type Item struct {
	Kind     Kind
	VolumeID string
	RecordID string // empty for [VolumeRetention]
	Group    string // instead of a volume, for [ReportSend]
	// Abandoned means that nobody works on the volume, even if the queue shows it: the lease in its row has expired. An
	// active task is then bypassed; otherwise Dispatch waits for it.
	Abandoned bool
	// Idle means that nobody holds the volume's lease and that nothing happened for
	// longer than any handler works, though something is due. An active task without
	// a lease in Redis is then bypassed: nobody works on it, and the queue, which
	// checks leases only, never gives it to anybody.
	Idle bool
}

// object returns what the task is about: the ID of a volume, or a group.
func (i Item) object() string {
	if i.Kind == ReportSend {
		return i.Group
	}
	return i.VolumeID
}

// id returns the ID of the task.
func (i Item) id() string { return kinds[i.Kind].idPrefix + i.object() }

func (i Item) volume() VolumeTask { return VolumeTask{VolumeID: i.VolumeID, RecordID: i.RecordID} }

// A Client enqueues tasks. It is safe for concurrent use.
type Client struct {
	rdb     redis.UniversalClient
	log     zerolog.Logger
	metrics *telemetry.Metrics
}

// NewClient returns a client on rdb. The caller closes rdb.
func NewClient(rdb redis.UniversalClient, log zerolog.Logger, m *telemetry.Metrics) *Client {
	return &Client{rdb: rdb, log: log, metrics: m}
}

// Dispatch makes sure that the queue holds a task for each item, and at most one task for each volume. Dispatching
// an item again whose task is in the queue changes nothing, so a caller that is not sure simply does it again. The caller
// chooses one item for each volume.
//
// The error joins the first few errors; the outcomes are correct in any case. After a Redis error an item is unknown or
// not sent, and the next dispatch run handles it.
func (c *Client) Dispatch(ctx context.Context, items []Item) (Outcomes, error) {
	for _, item := range items {
		if item.object() == "" || kinds[item.Kind].queue == "" {
			return nil, fmt.Errorf("dispatch: kind %q of %q: want a kind of the table, and an ID", item.Kind, item.object())
		}
	}
	h := c.newDispatch()
	defer h.report()
	var group errgroup.Group
	group.SetLimit(dispatchConcurrency)
	for _, item := range items {
		group.Go(func() error { h.one(ctx, item); return nil })
	}
	_ = group.Wait() // the errors are in the dispatch
	return h.outcomes, errors.Join(h.faults...)
}

// dispatch is one dispatch run. It has its own Asynq client, as a client registers the queues only once in its life:
// after Redis lost its data, an older client would fill a queue that no inspector finds.
type dispatch struct {
	*Client
	queue      *asynq.Client
	inspector  *asynq.Inspector
	noResponse atomic.Int64 // items without a response so far

	mu       sync.Mutex
	counts   map[Kind]Outcomes
	outcomes Outcomes
	faults   []error
}

func (c *Client) newDispatch() *dispatch {
	return &dispatch{
		Client: c,
		queue:  asynq.NewClientFromRedisClient(c.rdb), inspector: asynq.NewInspectorFromRedisClient(c.rdb),
		counts: make(map[Kind]Outcomes), outcomes: make(Outcomes),
	}
}

func (h *dispatch) one(ctx context.Context, item Item) {
	if ctx.Err() != nil || h.noResponse.Load() >= breakerThreshold {
		h.count(item, NotSent, ctx.Err())
		return
	}
	outcome, err := h.ensureQueued(ctx, item)
	if err != nil {
		h.noResponse.Add(1)
	}
	h.count(item, outcome, err)
}

func (h *dispatch) count(item Item, outcome Outcome, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.counts[item.Kind] == nil {
		h.counts[item.Kind] = make(Outcomes)
	}
	h.counts[item.Kind][outcome]++
	h.outcomes[outcome]++
	if err != nil && len(h.faults) < maxFaults {
		h.faults = append(h.faults, err)
	}
}

func (h *dispatch) report() {
	for kind, outcomes := range h.counts {
		for outcome, n := range outcomes {
			h.metrics.TasksDispatched(string(kind), string(outcome), n)
		}
	}
}
