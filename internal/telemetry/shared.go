package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// sharedMetrics holds the metrics that every process has.
type sharedMetrics struct {
	ready         *prometheus.GaugeVec
	cloudRequests *prometheus.CounterVec
	cloudDuration *prometheus.HistogramVec
}

func newSharedMetrics(r registered) *sharedMetrics {
	return &sharedMetrics{
		ready: r.gauges("staffeln_ready",
			"1 if this check of the process's /readyz succeeded when it was made last, else 0, by check: database, redis, login, endpoints, draining.", "check"),
		cloudRequests: r.counters("staffeln_cloud_requests_total",
			"HTTP requests to the cloud, by method, route template and status class (2xx, 4xx, ...; error without a response).", "method", "route", "status"),
		cloudDuration: r.seconds("staffeln_cloud_request_duration_seconds",
			"Seconds until the header of the cloud's response, or until there was none, by method and route template.",
			[]float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60}, "method", "route"),
	}
}

// setReady records the result of a check of the readiness.
func (m *Metrics) setReady(check string, ok bool) {
	value := 0.0
	if ok {
		value = 1
	}
	m.shared.ready.WithLabelValues(check).Set(value)
}

// CloudRequest counts a request to the cloud by its route template, and observes the time that it took. The status is the HTTP
// status, or 0 without a response.
func (m *Metrics) CloudRequest(method, route string, status int, took time.Duration) {
	m.shared.cloudRequests.WithLabelValues(method, route, statusClass(status)).Inc()
	m.shared.cloudDuration.WithLabelValues(method, route).Observe(took.Seconds())
}

func statusClass(status int) string {
	if status < 100 || status > 599 {
		return "error"
	}
	return string(rune('0'+status/100)) + "xx"
}
