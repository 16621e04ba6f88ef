package telemetry

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestMetrics_AreExported(t *testing.T) {
	m := NewMetrics()
	m.Transition("planned", "creating", "first_backup", "nobody", 2)
	m.Decision("create", "first_backup", 3)
	m.LeaseRefused()
	m.Run("plan", 200*time.Millisecond, time.UnixMilli(1_700_000_000_500), nil)
	m.Run("plan", time.Second, time.Unix(1_800_000_000, 0), errors.New("listing incomplete"))
	m.Leads(7)
	m.TasksDispatched("volume:poll", "enqueued", 4)
	m.TaskHandled("volume:poll", "ok")
	for status, times := range map[int]int{200: 2, 404: 1, 0: 1} {
		for range times {
			m.CloudRequest("GET", "/v3/backups/{id}", status, time.Second)
		}
	}
	m.SetVolumes(map[string]int{"protected": 5, "late": 1})
	m.SetVolumes(map[string]int{"protected": 6})
	m.SetPauses(3)
	m.SetPauses(2)

	require.NoError(t, testutil.GatherAndCompare(m.Registry, strings.NewReader(`
# HELP staffeln_run_success_timestamp_seconds Unix time in seconds, by the database's clock, of the newest run that ended without an error.
# TYPE staffeln_run_success_timestamp_seconds gauge
staffeln_run_success_timestamp_seconds{run="plan"} 1.7000000005e+09
# HELP staffeln_cloud_requests_total HTTP requests to the cloud, by method, route template and status class (2xx, 4xx, ...; error without a response).
# TYPE staffeln_cloud_requests_total counter
staffeln_cloud_requests_total{method="GET",route="/v3/backups/{id}",status="2xx"} 2
staffeln_cloud_requests_total{method="GET",route="/v3/backups/{id}",status="4xx"} 1
staffeln_cloud_requests_total{method="GET",route="/v3/backups/{id}",status="error"} 1
# HELP staffeln_pauses Pauses that the newest plan saw: of single projects, or the one of all.
# TYPE staffeln_pauses gauge
staffeln_pauses 2
# HELP staffeln_scheduler_leader 1 while this process is the leading scheduler, else 0.
# TYPE staffeln_scheduler_leader gauge
staffeln_scheduler_leader 1
# HELP staffeln_scheduler_term Number of this scheduler's newest term of leadership; 0 before its first.
# TYPE staffeln_scheduler_term gauge
staffeln_scheduler_term 7
# HELP staffeln_volumes Volumes that the newest plan saw, by protection state.
# TYPE staffeln_volumes gauge
staffeln_volumes{state="late"} 0
staffeln_volumes{state="protected"} 6
`), "staffeln_run_success_timestamp_seconds", "staffeln_cloud_requests_total", "staffeln_pauses", "staffeln_scheduler_leader", "staffeln_scheduler_term", "staffeln_volumes"))
}

// What only the leader knows is not exposed by a scheduler that no longer leads: it would be stale.
func TestFollowerExposesNothingThatOnlyALeaderKnows(t *testing.T) {
	m := NewMetrics()
	m.Leads(7)
	m.SetFindings(map[Code]int{{"a", "b"}: 1})
	m.SetRecords(map[string]int{"a": 1}, map[string]int{"a": 1})
	m.SetVolumes(map[string]int{"late": 1})
	m.SetPauses(1)
	m.SetAdmission(1, "a")
	m.SetRunLateAfter("plan", time.Second)
	m.Run("plan", time.Second, time.Unix(0, 0), nil)
	names := []string{
		"staffeln_findings", "staffeln_records", "staffeln_backups_waiting", "staffeln_volumes", "staffeln_pauses",
		"staffeln_backups_slow", "staffeln_admission_throttled", "staffeln_run_success_timestamp_seconds", "staffeln_run_late_after_seconds",
	}
	series := func() int {
		n, err := testutil.GatherAndCount(m.Registry, names...)
		require.NoError(t, err)
		return n
	}
	require.Equal(t, len(names), series())
	m.Follows()
	require.Zero(t, series())
	m.SetVolumes(map[string]int{"protected": 1})
	require.Equal(t, 1, series(), "an earlier term's series do not come back")
}

// All names have one form, and no label can hold an ID.
func TestMetrics_NamesAndLabelsFollowConventions(t *testing.T) {
	m := NewMetrics()
	m.Transition("a", "b", "c", "d", 1)
	m.Decision("a", "b", 1)
	m.SetFindings(map[Code]int{{"a", "b"}: 1})
	m.SetRecords(map[string]int{"a": 1}, map[string]int{"a": 1})
	m.SetVolumes(map[string]int{"a": 1})
	m.SetPauses(1)
	m.SetAdmission(1, "a")
	m.Repair("a", "b")
	m.Run("plan", time.Second, time.Unix(0, 0), nil)
	m.TasksDispatched("a", "b", 1)
	m.TaskHandled("a", "b")
	m.CloudRequest("GET", "/", 200, time.Second)
	m.setReady("a", true)
	m.BackupMade("a", time.Second)
	m.SetRunLateAfter("a", time.Second)
	m.APIRequest("GET", "/", 200, time.Second)
	m.DeleteCheck("a", "b")
	m.Rejected("a")
	families, err := m.Registry.Gather()
	require.NoError(t, err)
	ours := 0
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "staffeln_") {
			require.Regexp(t, `^(go|process)_`, f.GetName())
			continue
		}
		ours++
		require.Regexp(t, `^staffeln_[a-z]+(_[a-z]+)*$`, f.GetName())
		require.NotEmpty(t, f.GetHelp())
		for _, label := range f.GetMetric()[0].GetLabel() {
			require.NotRegexp(t, `(^|_)(id|name)$|^(volume|server|project|backup|record)$`, label.GetName())
		}
	}
	require.Equal(t, 29, ours)
}
