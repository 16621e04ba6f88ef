package tasks

import (
	"context"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// scrapeTime is how long a scrape waits for a Redis that does not respond.
const scrapeTime = 2 * time.Second

// The names are those of asynq/x/metrics, since the page of asynqmon queries Prometheus for them. That package itself is not
// used: it reads Redis without a time limit, so a Redis that hangs would hang the scrape. The state of a task is a label, as it
// is there.
var (
	tasksByState   = queueMetric("asynq_tasks_enqueued_total", "Tasks in the queue now, by state.", "state")
	queueSize      = queueMetric("asynq_queue_size", "Tasks in the queue now, in all states but completed.")
	queueLatency   = queueMetric("asynq_queue_latency_seconds", "Seconds that the oldest pending task has waited.")
	queueMemory    = queueMetric("asynq_queue_memory_usage_approx_bytes", "Bytes that the queue takes in Redis, approximately.")
	tasksProcessed = queueMetric("asynq_tasks_processed_total", "Runs of tasks that ended, well or not.")
	tasksFailed    = queueMetric("asynq_tasks_failed_total", "Runs of tasks that ended with a failure.")
	queuePaused    = queueMetric("asynq_queue_paused_total", "1 while the queue is paused, else 0.")
)

func queueMetric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"queue"}, labels...), nil)
}

// Collector reads the state of all queues from Redis at each scrape.
type Collector struct {
	rdb       redis.UniversalClient
	inspector *asynq.Inspector
}

// NewCollector returns a collector to be registered by one process of the installation, or by several: all report the
// same values.
func NewCollector(rdb redis.UniversalClient) *Collector {
	return &Collector{rdb: rdb, inspector: asynq.NewInspectorFromRedisClient(rdb)}
}

// Describe sends the descriptions of the metrics.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{tasksByState, queueSize, queueLatency, queueMemory, tasksProcessed, tasksFailed, queuePaused} {
		ch <- d
	}
}

// Collect sends the state of all queues. If Redis does not respond, it sends an error instead of the metrics.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	queues, err := c.queues()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(queueSize, fmt.Errorf("read queues: %w", err))
		return
	}
	for _, q := range queues {
		for state, n := range map[string]int{
			"active": q.Active, "pending": q.Pending, "scheduled": q.Scheduled, "retry": q.Retry,
			"archived": q.Archived, "completed": q.Completed, "aggregating": q.Aggregating,
		} {
			ch <- prometheus.MustNewConstMetric(tasksByState, prometheus.GaugeValue, float64(n), q.Queue, state)
		}
		paused := 0.0
		if q.Paused {
			paused = 1
		}
		ch <- prometheus.MustNewConstMetric(queueSize, prometheus.GaugeValue, float64(q.Size), q.Queue)
		ch <- prometheus.MustNewConstMetric(queueLatency, prometheus.GaugeValue, q.Latency.Seconds(), q.Queue)
		ch <- prometheus.MustNewConstMetric(queueMemory, prometheus.GaugeValue, float64(q.MemoryUsage), q.Queue)
		ch <- prometheus.MustNewConstMetric(tasksProcessed, prometheus.CounterValue, float64(q.ProcessedTotal), q.Queue)
		ch <- prometheus.MustNewConstMetric(tasksFailed, prometheus.CounterValue, float64(q.FailedTotal), q.Queue)
		ch <- prometheus.MustNewConstMetric(queuePaused, prometheus.GaugeValue, paused, q.Queue)
	}
}

func (c *Collector) queues() ([]*asynq.QueueInfo, error) {
	// The inspector takes no context, so a ping with one checks first whether Redis responds at all.
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	if err := c.rdb.Ping(ctx).Err(); err != nil {
		return nil, err
	}
	names, err := c.inspector.Queues()
	if err != nil {
		return nil, err
	}
	queues := make([]*asynq.QueueInfo, 0, len(names))
	for _, name := range names {
		q, err := c.inspector.GetQueueInfo(name)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		queues = append(queues, q)
	}
	return queues, nil
}
