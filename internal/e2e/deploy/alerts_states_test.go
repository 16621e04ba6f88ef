package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"staffeln/backup"
	"staffeln/internal/testkit/private"
)

// alertsOfStates are the alerts that fire in the states of docs/states.md, if they last for a day. In the others none fires.
var alertsOfStates = map[string][]string{
	"no cinder-backup service": {"StaffelnAdmissionThrottled"},
	"project paused":           {"StaffelnPaused"},
	"everything paused, due":   {"StaffelnPaused"},
	"dry run":                  {"StaffelnPaused"},
	"Cinder throttles":         {"StaffelnAdmissionThrottled"},
	"no scheduler, planned":    {"StaffelnNoLeader"},
	"no scheduler, due":        {"StaffelnNoLeader", "StaffelnRunLate"},
	"no worker":                {"StaffelnNoWorker"},
	"Redis away":               {"StaffelnQueueUnreachable", "StaffelnRunLate"},
	"overdue":                  {"StaffelnBackupsStuck"},
	"backup failed":            {"StaffelnBackupsFail"},
	"no role in the project":   {"StaffelnBackupsFail"},
	"late":                     {"StaffelnVolumesLate"},
	"Nova away":                {"StaffelnFinding"},
	"removed by others":        {"StaffelnFinding"},
	"backup without a record":  {"StaffelnFinding"},
	"Cinder left the volume in error_backing-up":       {"StaffelnBackupsFail"},
	"project deleted, server kept":                     {"StaffelnFinding", "StaffelnVolumesLate"},
	"Cinder does not remove it":                        {"StaffelnBackupsStuck"},
	"the backup's storage is away":                     {"StaffelnBackupsFail"},
	"Cinder's clock is ahead":                          {"StaffelnFinding"},
	"older dump of our database restored":              {"StaffelnFinding"},
	"password refused":                                 {"StaffelnLoginRefused", "StaffelnRunLate"},
	"Nova's list is empty":                             {"StaffelnFinding"},
	"secret of the backup gone":                        {"StaffelnFinding"},
	"backup requested while its interval runs, paused": {"StaffelnPaused"},
	"runs are late":                                    {"StaffelnRunLate"},
}

// observedState is a row of docs/states.md.
type observedState struct{ name, status, explain, metrics string }

func observedStates(t *testing.T) (states []observedState) {
	t.Helper()
	for line := range strings.Lines(string(read(t, "docs/states.md"))) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) == 5 && !strings.HasPrefix(line, "| State |") {
			states = append(states, observedState{strings.TrimPrefix(cells[0], "| "), cells[1], cells[2], strings.TrimSuffix(cells[4], " |")})
		}
	}
	require.Greater(t, len(states), 40)
	return states
}

func (s observedState) codes() []string {
	return append(strings.Split(s.status, "<br>"), strings.Split(s.explain, "<br>")...)
}

// needsOperator reports whether a view shows that the operator must take action.
func (s observedState) needsOperator() bool {
	for _, code := range s.codes() {
		kind, of, _ := strings.Cut(code, ": ")
		switch {
		case kind == "stuck", code == "waits: operator", code == "waits: no_service", code == "pause":
			return true
		case (kind == "finding" || kind == "failed") && backup.Reason(of).Whose() == backup.Operator:
			return true
		case strings.HasSuffix(code, "_late"), code == "no_leader", code == "no_worker", code == "queue_unreachable", strings.HasPrefix(code, "late "):
			return true
		}
	}
	return false
}

// series returns what the processes show in the state, as input of promtool: the gauges of the page, and what follows from the codes of status.
func (s observedState) series() (all []map[string]string) {
	add := func(series, values string) {
		all = append(all, map[string]string{"series": series, "values": values})
	}
	leads := 1
	for _, code := range s.codes() {
		kind, of, _ := strings.Cut(code, ": ")
		run, late := strings.CutSuffix(code, "_late")
		switch {
		case code == "no_leader":
			leads = 0
		case late:
			add(fmt.Sprintf(`staffeln_run_success_timestamp_seconds{run=%q}`, run), "0x400")
			add(fmt.Sprintf(`staffeln_run_late_after_seconds{run=%q}`, run), "600x400")
		case code == "pause" && !strings.Contains(s.metrics, "staffeln_pauses"):
			add("staffeln_pauses", "1x400") // the next plan shows it
		case kind == "failed" && strings.Contains(s.status, code) && of != string(backup.RemovedByOthers): // that one is lost
			add(fmt.Sprintf(`staffeln_record_transitions_total{from="creating",to="failed",reason=%q,owner=%q}`, of, backup.Reason(of).Whose()), "_x295 1x100")
		}
	}
	add("staffeln_scheduler_leader", fmt.Sprintf("%dx400", leads))
	add("staffeln_leases_refused_total", "0x400")
	add("staffeln_delete_checks_unwritten", "0x400")
	for metric := range strings.SplitSeq(s.metrics, "<br>") {
		name, label, labelled := strings.Cut(metric, " ")
		key, value, _ := strings.Cut(label, "=")
		switch {
		case name == "" || leads == 0:
		case name == "staffeln_findings":
			add(fmt.Sprintf(`%s{reason=%q,owner=%q}`, name, value, backup.Reason(value).Whose()), "1x400")
		case labelled:
			add(fmt.Sprintf(`%s{%s=%q}`, name, key, value), "1x400")
		default:
			add(name, "1x400")
		}
	}
	return all
}

// In each state of docs/states.md that needs the operator an alert fires, and in the others none does.
func TestEachStateThatNeedsTheOperatorHasAnAlert(t *testing.T) {
	promtool, err := private.FindPromtool()
	require.NoError(t, err)
	rules, err := filepath.Abs(filepath.Join(repository, rulesFile))
	require.NoError(t, err)
	var tests []any
	names := map[string]bool{}
	for _, s := range observedStates(t) {
		names[s.name] = true
		alerts := alertsOfStates[s.name]
		assert.False(t, s.needsOperator() && len(alerts) == 0, "no alert in the state %q: %s | %s", s.name, s.status, s.explain)
		fires := []any{}
		for _, alert := range alerts {
			fires = append(fires, map[string]any{"labels": fmt.Sprintf(`{alertname=%q}`, alert), "value": 1})
		}
		tests = append(tests, map[string]any{
			"name": s.name, "interval": "5m", "input_series": s.series(),
			"promql_expr_test": []any{map[string]any{
				"expr": `group by (alertname) (ALERTS{alertstate="firing"}) # ` + s.name, "eval_time": "25h", "exp_samples": fires,
			}},
		})
	}
	for name := range alertsOfStates {
		assert.Contains(t, names, name, "docs/states.md")
	}
	text, err := yaml.Marshal(map[string]any{"rule_files": []string{rules}, "evaluation_interval": "5m", "tests": tests})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "states.yml")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", file).CombinedOutput()
	require.NoError(t, err, string(out))
}
