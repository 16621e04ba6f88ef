package telemetry

import (
	"slices"
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
	waits           *counts
	pauses          *prometheus.GaugeVec
	slow            *prometheus.GaugeVec
	throttles       *counts
	alerted         *prometheus.CounterVec
	runDuration     *prometheus.HistogramVec
	runSuccess      *prometheus.GaugeVec
	leader          prometheus.Gauge
	term            prometheus.Gauge
	tasksDispatched *prometheus.CounterVec
	runLateAfter    *prometheus.GaugeVec
	shared          *sharedMetrics
	worker          *workerMetrics
	api             *apiMetrics
}

// The processes that have metrics of their own.
const (
	scheduler = "scheduler"
	worker    = "worker"
	api       = "api"
	all       = "all" // of them in one process
)

// NewMetrics returns metrics with a registry of their own. The registry also has the metrics of the Go runtime and the
// process. Given the name of a process, it exposes only what that process measures; what another one measures is counted and
// shown nowhere.
func NewMetrics(process ...string) *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	of := func(processes ...string) registered {
		if len(process) == 0 || process[0] == all || slices.Contains(processes, process[0]) {
			return registered{promauto.With(registry)}
		}
		return registered{promauto.With(nil)}
	}
	r := of(scheduler)
	return &Metrics{
		Registry: registry,
		shared:   newSharedMetrics(of(scheduler, worker, api)),
		worker:   newWorkerMetrics(of(worker)),
		api:      newAPIMetrics(of(api)),

		transitions: of(scheduler, worker).counters("staffeln_record_transitions_total",
			"Records that went from one state to another, by the reason code and its owner.", "from", "to", "reason", "owner"),
		decisions: r.counters("staffeln_decisions_total",
			"Decisions about one volume each, by action and reason code; every plan decides about every volume.", "action", "reason"),
		findings: r.levels("staffeln_findings",
			"Findings that are known now, in objects (servers, volumes, projects or backups), by reason code and its owner.", "reason", "owner"),
		volumes: r.levels("staffeln_volumes",
			"Volumes that the newest plan saw, by protection state.", "state"),
		records: r.levels("staffeln_records",
			"Records between plan and end, by state: planned, creating, overdue, deleting, undeletable.", "state"),
		waits: r.levels("staffeln_backups_waiting",
			"Planned backups, by what they wait for: cap, no_service, paused, throttled, dispatch (the next run admits them), worker (admitted).", "reason"),
		pauses: r.gauges("staffeln_pauses",
			"Pauses that the newest plan saw: of single projects, or the one of all."),
		slow: r.gauges("staffeln_backups_slow",
			"Backups in progress far beyond their usual time, as the newest dispatch run saw it."),
		throttles: r.levels("staffeln_admission_throttled",
			"1 while fewer backups begin than the caps allow, by reason: throttled, away, failing, no_service.", "reason"),
		runDuration: r.seconds("staffeln_run_duration_seconds",
			"Seconds that a run took, by run (plan, dispatch, retention, reconcile, report) and result (ok, error).", []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600}, "run", "result"),
		runSuccess: r.gauges("staffeln_run_success_timestamp_seconds",
			"Unix time in seconds, by the database's clock, of the newest run that ended without an error.", "run"),
		runLateAfter: r.gauges("staffeln_run_late_after_seconds",
			"Age in seconds of the newest run without an error beyond which the run is late: two of its periods.", "run"),
		alerted: r.counters("staffeln_alerting_requests_total",
			"Requests to receivers outside, by receiver (heartbeat, webhook) and result (ok: a response of 2xx, error).", "receiver", "result"),
		leader: r.gauge("staffeln_scheduler_leader",
			"1 while this process is the leading scheduler, else 0."),
		term: r.gauge("staffeln_scheduler_term",
			"Number of this scheduler's newest term of leadership; 0 before its first."),
		tasksDispatched: r.counters("staffeln_tasks_dispatched_total",
			"Tasks dispatched to the queue, by kind and by what became of them.", "kind", "outcome"),
	}
}

// Transition counts records that changed from one state to another.
func (m *Metrics) Transition(from, to, reason, owner string, records int) {
	m.transitions.WithLabelValues(from, to, reason, owner).Add(float64(records))
}

// Decision counts decisions of the same action and reason.
func (m *Metrics) Decision(action, reason string, volumes int) {
	m.decisions.WithLabelValues(action, reason).Add(float64(volumes))
}

// A Code is a reason and its owner.
type Code struct{ Reason, Owner string }

// SetFindings sets the number of objects with findings.
func (m *Metrics) SetFindings(byCode map[Code]int) {
	values := make(map[string]int, len(byCode))
	for code, n := range byCode {
		values[code.Reason+labelSeparator+code.Owner] = n
	}
	m.findings.set(values)
}

// SetVolumes sets the number of volumes, by protection state.
func (m *Metrics) SetVolumes(byState map[string]int) { m.volumes.set(byState) }

// SetRecords sets the number of records between plan and end, by state, and of the planned ones, by what they wait for.
func (m *Metrics) SetRecords(byState, byWait map[string]int) {
	m.records.set(byState)
	m.waits.set(byWait)
}

// SetPauses sets the number of pauses.
func (m *Metrics) SetPauses(n int) { m.pauses.WithLabelValues().Set(float64(n)) }

// SetAdmission sets the number of slow backups, and the reasons why admission is throttled, for the whole cloud or a part of
// it. Empty reasons are ignored.
func (m *Metrics) SetAdmission(slow int, throttles ...string) {
	m.slow.WithLabelValues().Set(float64(slow))
	now := map[string]int{}
	for _, reason := range throttles {
		if reason != "" {
			now[reason] = 1
		}
	}
	m.throttles.set(now)
}

// Run records that a run (plan, dispatch, retention, reconcile, report) ended: its duration, the time by the database's clock,
// and its error.
func (m *Metrics) Run(run string, took time.Duration, now time.Time, err error) {
	if err != nil {
		m.runDuration.WithLabelValues(run, "error").Observe(took.Seconds())
		return
	}
	m.runDuration.WithLabelValues(run, "ok").Observe(took.Seconds())
	m.SetRunSuccess(run, now)
}

// Alerted counts a request to a receiver outside: heartbeat or webhook.
func (m *Metrics) Alerted(receiver string, ok bool) {
	m.alerted.WithLabelValues(receiver, map[bool]string{true: "ok", false: "error"}[ok]).Inc()
}

// SetRunSuccess sets the time of the newest run that ended without an error.
func (m *Metrics) SetRunSuccess(run string, at time.Time) {
	m.runSuccess.WithLabelValues(run).Set(float64(at.UnixMilli()) / 1000)
}

// SetRunLateAfter sets the age from which a run counts as late.
func (m *Metrics) SetRunLateAfter(run string, age time.Duration) {
	m.runLateAfter.WithLabelValues(run).Set(age.Seconds())
}

// Leads records that this scheduler began to lead, in the given term.
func (m *Metrics) Leads(term int64) { m.leader.Set(1); m.term.Set(float64(term)) }

// Follows records that this scheduler does not lead. What only a leader knows is no longer exposed: another one knows better.
func (m *Metrics) Follows() {
	m.leader.Set(0)
	for _, c := range []*counts{m.findings, m.volumes, m.records, m.waits, m.throttles} {
		c.forget()
	}
	for _, v := range []*prometheus.GaugeVec{m.pauses, m.slow, m.runSuccess, m.runLateAfter} {
		v.Reset()
	}
}

// TasksDispatched counts tasks of one kind that were dispatched with the same outcome.
func (m *Metrics) TasksDispatched(kind, outcome string, tasks int) {
	m.tasksDispatched.WithLabelValues(kind, outcome).Add(float64(tasks))
}
