package telemetry

import (
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// registered creates metrics that are registered at once.
type registered struct{ promauto.Factory }

func (r registered) counter(name, help string) prometheus.Counter {
	return r.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func (r registered) counters(name, help string, labels ...string) *prometheus.CounterVec {
	return r.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func (r registered) gauge(name, help string) prometheus.Gauge {
	return r.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func (r registered) gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return r.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func (r registered) levels(name, help string, labels ...string) *counts {
	return &counts{vec: r.gauges(name, help, labels...), seen: map[string]bool{}}
}

func (r registered) seconds(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return r.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

// labelSeparator is between the values of labels in a key of [counts].
const labelSeparator = "\x00"

// counts is a gauge whose values are replaced together; a key is the values of its labels. A key that is missing from the new values is set to 0:
// a series that ends would mean that the process died, or does not lead any more.
type counts struct {
	vec *prometheus.GaugeVec

	mu   sync.Mutex
	seen map[string]bool
}

func (c *counts) set(values map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range values {
		c.seen[key] = true
	}
	for key := range c.seen {
		c.vec.WithLabelValues(strings.Split(key, labelSeparator)...).Set(float64(values[key]))
	}
}

// forget ends all series.
func (c *counts) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.seen)
	c.vec.Reset()
}
