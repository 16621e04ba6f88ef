package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// workerMetrics holds the metrics of a worker.
type workerMetrics struct {
	tasksHandled  *prometheus.CounterVec
	leasesRefused prometheus.Counter
	repairs       *prometheus.CounterVec
	backups       *prometheus.HistogramVec
}

func newWorkerMetrics(r registered) *workerMetrics {
	return &workerMetrics{
		tasksHandled: r.counters("staffeln_tasks_handled_total",
			"Runs of a task's handler that ended, by kind and outcome.", "kind", "outcome"),
		leasesRefused: r.counter("staffeln_leases_refused_total",
			"Leases that were refused because another handler held the volume's lease."),
		repairs: r.counters("staffeln_repairs_total",
			"Steps on backups that hang in Cinder, by kind (force: removal by force; reset: its status set to error) and outcome (accepted, refused, unknown).", "kind", "outcome"),
		backups: r.seconds("staffeln_backup_duration_seconds",
			"Seconds that Cinder took for a backup that became a restore point, by kind (full, incremental).",
			[]float64{10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400}, "kind"),
	}
}

// TaskHandled counts one run of a task handler.
func (m *Metrics) TaskHandled(kind, outcome string) {
	m.worker.tasksHandled.WithLabelValues(kind, outcome).Inc()
}

// LeaseRefused counts a lease that was refused because another handler held it.
func (m *Metrics) LeaseRefused() { m.worker.leasesRefused.Inc() }

// Repair counts a step on a backup that hangs, by the outcome of the request.
func (m *Metrics) Repair(kind, outcome string) {
	m.worker.repairs.WithLabelValues(kind, outcome).Inc()
}

// BackupMade observes the time that Cinder took for a backup.
func (m *Metrics) BackupMade(kind string, took time.Duration) {
	m.worker.backups.WithLabelValues(kind).Observe(took.Seconds())
}
