package telemetry

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// counts is a gauge of how many there are of each, replaced as a whole. A key that is no longer among the values
// goes to zero: a series that just ends looks like a process that died.
type counts struct {
	vec *prometheus.GaugeVec

	mu   sync.Mutex
	seen map[string]bool
}

func newCounts(opts prometheus.GaugeOpts, label string) *counts {
	return &counts{vec: prometheus.NewGaugeVec(opts, []string{label}), seen: map[string]bool{}}
}

func (c *counts) set(values map[string]int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range values {
		c.seen[key] = true
	}
	for key := range c.seen {
		c.vec.WithLabelValues(key).Set(float64(values[key]))
	}
}
