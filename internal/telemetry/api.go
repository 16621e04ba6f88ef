package telemetry

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// apiMetrics holds the metrics of the API.
type apiMetrics struct {
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	checks    *prometheus.CounterVec
	bursts    prometheus.Counter
	unwritten prometheus.Gauge
	rejected  *prometheus.CounterVec
	expires   prometheus.Gauge
}

func newAPIMetrics(r registered) *apiMetrics {
	return &apiMetrics{
		requests: r.counters("staffeln_api_requests_total",
			"Requests that the API served, by method, route template (none: no such route) and status class.", "method", "route", "status"),
		duration: r.seconds("staffeln_api_request_duration_seconds",
			"Seconds from a request's header to the end of its response, by route template.",
			[]float64{0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15}, "route"),
		checks: r.counters("staffeln_delete_checks_total",
			"Delete checks of Cinder, by outcome (allowed, refused; error: no decision, so Cinder refuses the deletion) and judgement.", "outcome", "judgement"),
		bursts: r.counter("staffeln_delete_refusal_bursts_total",
			"Minutes in which one user, or all callers without the required client certificate together, were refused the deletion of unusually many of our backups: possibly an intruder. Counted over all replicas, by one of them."),
		unwritten: r.gauge("staffeln_delete_checks_unwritten",
			"Audit rows of delete checks that wait to be written. Above 0 for long: the database does not accept writes."),
		rejected: r.counters("staffeln_api_rejected_total",
			"Connections and requests that the API ended because there were too many, by reason: waiting (connections that sent nothing for longest), checks (delete checks that waited too long or sent their body too slowly while too many did).", "reason"),
		expires: r.gauge("staffeln_api_certificate_expiry_timestamp_seconds",
			"Unix time in seconds at which the certificate in use by the API expires; 0 = no TLS."),
	}
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// APIRequest counts a served request by its route template ("": no such route), and observes its duration.
func (m *Metrics) APIRequest(method, route string, status int, took time.Duration) {
	if !slices.Contains(methods, method) {
		method = "other"
	}
	if route == "" {
		route = "none"
	}
	m.api.requests.WithLabelValues(method, route, statusClass(status)).Inc()
	m.api.duration.WithLabelValues(route).Observe(took.Seconds())
}

// DeleteCheck counts a delete check of Cinder by its outcome (allowed, refused, error) and the judgement.
func (m *Metrics) DeleteCheck(outcome, judgement string) {
	m.api.checks.WithLabelValues(outcome, judgement).Inc()
}

// RefusalBurst counts a minute with unusually many refusals for one user.
func (m *Metrics) RefusalBurst() { m.api.bursts.Inc() }

// SetUnwritten sets the number of buffered rows of the delete check audit.
func (m *Metrics) SetUnwritten(rows int) { m.api.unwritten.Set(float64(rows)) }

// Rejected counts a connection (waiting) or a request (checks) that was rejected because there were too many.
func (m *Metrics) Rejected(reason string) { m.api.rejected.WithLabelValues(reason).Inc() }

// SetCertificateExpiry sets the expiry of the API's certificate.
func (m *Metrics) SetCertificateExpiry(at time.Time) { m.api.expires.Set(float64(at.Unix())) }
