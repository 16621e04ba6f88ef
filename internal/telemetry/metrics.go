package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// Metrics holds the metrics of one process. Labels are codes of closed sets, never IDs or names, so the number of series is
// bounded. It is safe for concurrent use.
type Metrics struct {
	Registry *prometheus.Registry

	transitions     *prometheus.CounterVec
	decisions       *prometheus.CounterVec
	findings        *counts
	volumes         *counts
	records         *counts
	pauses          prometheus.Gauge
	stuck           prometheus.Gauge
	throttles       *counts
	repairs         *prometheus.CounterVec
	leasesRefused   prometheus.Counter
	runDuration     *prometheus.HistogramVec
	runSuccess      *prometheus.GaugeVec
	leader          prometheus.Gauge
	term            prometheus.Gauge
	tasksDispatched *prometheus.CounterVec
	tasksHandled    *prometheus.CounterVec
	cloudRequests   *prometheus.CounterVec
	api             *apiMetrics
}

// NewMetrics returns metrics with a registry of their own. The registry also has the metrics of the Go runtime and the
// process.
func NewMetrics() *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r := registered{promauto.With(registry)}
	return &Metrics{
		Registry: registry,

		transitions: r.counters("staffeln_record_transitions_total",
			"Records that went from one state to another, by the reason code.", "from", "to", "reason"),
		decisions: r.counters("staffeln_decisions_total",
			"Decisions about one volume each, by action and reason code; every plan decides about every protected volume.", "action", "reason"),
		findings: r.levels("staffeln_findings",
			"Findings that are known now, in objects (servers, volumes, projects or backups), by reason code.", "reason"),
		volumes: r.levels("staffeln_volumes",
			"Volumes that the newest plan saw, by protection state.", "state"),
		records: r.levels("staffeln_records",
			"Records between plan and end, by state: planned, creating, overdue, deleting, undeletable.", "state"),
		pauses: r.gauge("staffeln_pauses",
			"Pauses that the newest plan saw: of single projects, or the one of all."),
		stuck: r.gauge("staffeln_backups_stuck",
			"Backups in progress far beyond their usual time, as the newest dispatch run saw it."),
		throttles: r.levels("staffeln_admission_throttled",
			"1 while fewer backups begin than the caps allow, by reason: throttled, away, failing, no_service.", "reason"),
		repairs: r.counters("staffeln_repairs_total",
			"Steps on backups that hang in Cinder, by kind (force: removal by force; reset: its status set to error) and outcome (accepted, refused, unknown).", "kind", "outcome"),
		leasesRefused: r.counter("staffeln_leases_refused_total",
			"Leases that were refused because another handler held the volume's lease."),
		runDuration: r.seconds("staffeln_run_duration_seconds",
			"Seconds that a run took, by run (plan, dispatch, retention, reconcile, report) and result (ok, error).", []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}, "run", "result"),
		runSuccess: r.gauges("staffeln_run_success_timestamp_seconds",
			"Unix time in seconds, by the database's clock, of the newest run that ended without an error.", "run"),
		leader: r.gauge("staffeln_scheduler_leader",
			"1 while this process is the leading scheduler, else 0."),
		term: r.gauge("staffeln_scheduler_term",
			"Number of this scheduler's newest term of leadership; 0 before its first."),
		tasksDispatched: r.counters("staffeln_tasks_dispatched_total",
			"Tasks dispatched to the queue, by kind and by what became of them.", "kind", "outcome"),
		tasksHandled: r.counters("staffeln_tasks_handled_total",
			"Runs of a task's handler that ended, by kind and outcome.", "kind", "outcome"),
		cloudRequests: r.counters("staffeln_cloud_requests_total",
			"HTTP requests to the cloud, by method, route template and status class (2xx, 4xx, ...; error without an answer).", "method", "route", "status"),
		api: newAPIMetrics(r),
	}
}

// Transition counts records that changed from one state to another.
func (m *Metrics) Transition(from, to, reason string, records int) {
	m.transitions.WithLabelValues(from, to, reason).Add(float64(records))
}

// Decision counts decisions of the same action and reason.
func (m *Metrics) Decision(action, reason string, volumes int) {
	m.decisions.WithLabelValues(action, reason).Add(float64(volumes))
}

// SetFindings sets the number of objects with findings, by reason code.
func (m *Metrics) SetFindings(byReason map[string]int) { m.findings.set(byReason) }

// SetVolumes sets the number of volumes, by protection state.
func (m *Metrics) SetVolumes(byState map[string]int) { m.volumes.set(byState) }

// SetRecords sets the number of records between plan and end, by state.
func (m *Metrics) SetRecords(byState map[string]int) { m.records.set(byState) }

// SetPauses sets the number of pauses.
func (m *Metrics) SetPauses(n int) { m.pauses.Set(float64(n)) }

// SetAdmission sets the number of stuck backups, and the reasons why admission is throttled, for the whole cloud or a part of
// it. Empty reasons are ignored.
func (m *Metrics) SetAdmission(stuck int, throttles ...string) {
	m.stuck.Set(float64(stuck))
	now := map[string]int{}
	for _, reason := range throttles {
		if reason != "" {
			now[reason] = 1
		}
	}
	m.throttles.set(now)
}

// Repair counts a step on a backup that hangs, by the outcome of the request.
func (m *Metrics) Repair(kind, outcome string) { m.repairs.WithLabelValues(kind, outcome).Inc() }

// LeaseRefused counts a lease that was refused because another handler held it.
func (m *Metrics) LeaseRefused() { m.leasesRefused.Inc() }

// Run records that a run (plan, dispatch, retention, reconcile, report) ended: its duration, the time by the database's clock,
// and its error.
func (m *Metrics) Run(run string, took time.Duration, now time.Time, err error) {
	if err != nil {
		m.runDuration.WithLabelValues(run, "error").Observe(took.Seconds())
		return
	}
	m.runDuration.WithLabelValues(run, "ok").Observe(took.Seconds())
	m.runSuccess.WithLabelValues(run).Set(float64(now.UnixMilli()) / 1000)
}

// Leads records that this scheduler began to lead, in the given term.
func (m *Metrics) Leads(term int64) { m.leader.Set(1); m.term.Set(float64(term)) }

// Follows records that this scheduler does not lead.
func (m *Metrics) Follows() { m.leader.Set(0) }

// TasksDispatched counts tasks of one kind that were dispatched with the same outcome.
func (m *Metrics) TasksDispatched(kind, outcome string, tasks int) {
	m.tasksDispatched.WithLabelValues(kind, outcome).Add(float64(tasks))
}

// TaskHandled counts one run of a task handler.
func (m *Metrics) TaskHandled(kind, outcome string) {
	m.tasksHandled.WithLabelValues(kind, outcome).Inc()
}

// CloudRequest counts a request to the cloud by its route template. The status is the HTTP status, or 0 without a response.
func (m *Metrics) CloudRequest(method, route string, status int) {
	m.cloudRequests.WithLabelValues(method, route, statusClass(status)).Inc()
}

func statusClass(status int) string {
	if status < 100 || status > 599 {
		return "error"
	}
	return string(rune('0'+status/100)) + "xx"
}
