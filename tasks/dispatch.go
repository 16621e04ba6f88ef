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
	// handers is how many goroutines speak to Redis during a dispatch run: more gain nothing (measured).
	dispatchConcurrency = 16
	// patience is after how many items without an answer Redis is taken to be away and the rest waits for the next
	// beat; each of them has cost its time-out.
	breakerThreshold = 2 * dispatchConcurrency
	// maxFaults bounds the faults that one dispatch run returns: ten thousand times the same says no more than three.
	maxFaults = 3
)

// An Item is one thing that a volume, or a group of reports, needs from the queue.
type Item struct {
	Kind     Kind
	VolumeID string
	RecordID string // empty for [VolumeRetention]
	Group    string // in place of a volume, of [ReportSend]
	// Abandoned says that nobody works on the volume, whatever the queue shows: the lease in its row ran out. An
	// active task is then passed by, where it would be waited for otherwise.
	Abandoned bool
	// Idle says that nobody holds the volume's lease and that nothing happened
	// for longer than any handler works, though something is due. An active task
	// that Redis keeps no lease of is then passed by: nobody works on it, and the
	// queue, which looks at leases only, never gives it to anybody.
	Idle bool
}

// object is what the task is about: the ID of a volume, or a group.
func (i Item) object() string {
	if i.Kind == ReportSend {
		return i.Group
	}
	return i.VolumeID
}

// id is the task's.
func (i Item) id() string { return kinds[i.Kind].idPrefix + i.object() }

func (i Item) volume() Volume { return Volume{VolumeID: i.VolumeID, RecordID: i.RecordID} }

// A Client hands tasks over to the queue. It may be used from several goroutines.
type Client struct {
	rdb     redis.UniversalClient
	log     zerolog.Logger
	metrics *telemetry.Metrics
}

// NewClient answers a client on rdb, which stays the caller's to close.
func NewClient(rdb redis.UniversalClient, log zerolog.Logger, m *telemetry.Metrics) *Client {
	return &Client{rdb: rdb, log: log, metrics: m}
}

// Dispatch sees to it that the queue holds a task for each item, and one task at most for each volume. Dispatching
// again what is in the queue already changes nothing, so a caller that is not sure simply does it again. The caller
// chooses one item for each volume.
//
// The error joins the first few faults; the tally is true in any case. A fault of Redis leaves its item unknown or
// unasked, and the next dispatch run sees to it.
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
	_ = group.Wait() // the faults are the dispatch's
	return h.outcomes, errors.Join(h.faults...)
}

// dispatch is one dispatch run under way. Its Asynq client lives no longer: it says only once in its life which queues
// there are, so after a loss of Redis' data an older one would fill a queue that no inspector finds.
type dispatch struct {
	*Client
	queue     *asynq.Client
	inspector *asynq.Inspector
	silent    atomic.Int64 // items without an answer so far

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
	if ctx.Err() != nil || h.silent.Load() >= breakerThreshold {
		h.count(item, Unasked, ctx.Err())
		return
	}
	outcome, err := h.ensureQueued(ctx, item)
	if err != nil {
		h.silent.Add(1)
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
