package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
	"staffeln/view"
)

const statesFile = "../../docs/states.md"

// lead holds the leadership, so that the views find a scheduler.
func (s *stateEnvironment) lead() {
	s.T.Helper()
	testkit.Eventually(s.T, "the lead is free", time.Minute, func() bool {
		one, err := db.Lead(s.Ctx, s.URL, "scheduler-1")
		if err != nil {
			return false
		}
		s.Term = one.Term
		s.leading = one
		return true
	})
	s.T.Cleanup(func() {
		if s.leading != nil {
			s.leading.Resign()
		}
	})
}

// stopLeading ends the leadership and waits until Postgres knows it.
func (s *stateEnvironment) stopLeading() {
	s.leading.Resign()
	s.leading = nil
	testkit.Eventually(s.T, "nobody leads", time.Minute, func() bool {
		leads := true
		err := s.DB.Snapshot(s.Ctx, func(l *db.Snapshot) error {
			leader, err := l.Leader(s.Ctx)
			leads = leader.Leads
			return err
		})
		return err == nil && !leads
	})
}

// statusCodes returns the codes that `status` shows.
func (s *stateEnvironment) statusCodes() []string {
	var v view.Status
	s.read("status", &v)
	return rig.StatusCodes(v)
}

// explainCodes returns the codes that `explain` shows.
func (s *stateEnvironment) explainCodes() []string {
	var v view.Explanation
	s.read("explain", &v, s.volume)
	return rig.ExplainCodes(v)
}

// read reads the JSON of a command.
func (s *stateEnvironment) read(command string, into any, args ...string) {
	s.T.Helper()
	out, code := rig.Output(s.T, s.settings(), append([]string{command, "--json"}, args...)...)
	if command == "explain" && code != 0 {
		return // no plan has seen it
	}
	require.Zero(s.T, code, out)
	require.NoError(s.T, json.Unmarshal([]byte(out), into), out)
}

// doctorCodes returns the checks that are not ok. What the tests' own servers lack in every state is left out.
func (s *stateEnvironment) doctorCodes() (codes []string) {
	env := s.settings()
	maps.Copy(env, s.Sim.OpenRC(s.CloudURL))
	env["STAFFELN_REDIS_URL"] = s.RedisURL
	out, _ := rig.Output(s.T, env, "doctor", "--json")
	var v struct {
		Findings []struct{ Check, Severity, Text string }
	}
	require.NoError(s.T, json.NewDecoder(strings.NewReader(out)).Decode(&v), out)
	for _, f := range v.Findings {
		own := f.Check == "database" || f.Check == "delete_check" || f.Check == "configuration" || strings.Contains(f.Text, "append-only") || strings.Contains(f.Text, "clock")
		if f.Severity != "ok" && !own {
			codes = append(codes, f.Check+": "+f.Severity)
		}
	}
	return slices.Compact(codes)
}

// metricCodes returns the gauges about the state that are not 0. A scheduler that does not lead has none of them.
func (s *stateEnvironment) metricCodes() (codes []string) {
	if s.leading == nil {
		return nil
	}
	families, err := s.Scheduler.Metrics.Registry.Gather()
	require.NoError(s.T, err)
	for _, f := range families {
		if !slices.Contains([]string{"staffeln_volumes", "staffeln_findings", "staffeln_pauses", "staffeln_records", "staffeln_backups_waiting", "staffeln_admission_throttled", "staffeln_backups_slow"}, f.GetName()) {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetGauge().GetValue() == 0 {
				continue
			}
			name := f.GetName()
			for _, label := range m.GetLabel() {
				if label.GetName() != "owner" { // a reason has one owner, which operations.md names
					name += " " + label.GetName() + "=" + label.GetValue()
				}
			}
			codes = append(codes, name)
		}
	}
	return codes
}

// What Staffeln shows in a state is the same in each view, and the table in docs/states.md has it.
func TestEachViewShowsTheState(t *testing.T) {
	rows := make([]string, len(states()))
	t.Run("states", func(t *testing.T) {
		for i, one := range states() {
			t.Run(one.name, func(t *testing.T) {
				t.Parallel()
				s := &stateEnvironment{environment: daily(t, func(set *backup.Settings, o *cloudsim.Options) {
					if one.with != nil {
						one.with(set, o)
					}
				})}
				s.lead()
				s.project = s.Sim.AddProject("acme")
				server, volumes := s.Protect(s.project, "web-1", 1)
				s.server, s.volume = server, volumes[0]
				one.make(s)
				if !one.asIs {
					s.Dispatch()
					s.Exec(`UPDATE leadership SET planned_at = staffeln_now(), dispatched_at = staffeln_now(), retention_at = staffeln_now(), reconciled_at = staffeln_now()`)
				}
				row := []string{strings.Join(s.statusCodes(), "<br>"), strings.Join(s.explainCodes(), "<br>"), strings.Join(s.doctorCodes(), "<br>"), strings.Join(s.metricCodes(), "<br>")}
				for column, want := range []string{one.want.status, one.want.explain, one.want.doctor, one.want.metric} {
					assert.Contains(t, row[column], want, "%v", row)
				}
				rows[i] = "| " + one.name + " | " + strings.Join(row, " | ") + " |"
			})
		}
	})
	if t.Failed() {
		return
	}
	page := statesHead + strings.Join(rows, "\n") + "\n"
	if *updateGolden {
		require.NoError(t, os.WriteFile(statesFile, []byte(page), 0o644))
	}
	want, err := os.ReadFile(statesFile)
	require.NoError(t, err)
	require.Equal(t, string(want), page, "changed on purpose? make test PACKAGES=./internal/e2e FLAGS='-run TestEachViewShowsTheState -update'")
}

const statesHead = `# What Staffeln shows in which state

A test makes each state, with one protected volume or a few, and reads the views; this page is what it read. ` + "`status` and `explain`" + ` are the
codes in their JSON, which the web pages and the read API show too. ` + "`doctor`" + ` lists the checks that are not ok, without those of the test's own
database, Redis and configuration. The metrics are the gauges of the leader's newest run that are not 0: what changed since is in the next one.
Nothing of a volume that no plan has seen is known. The states that a real cloud can be brought into are also tested there (` + "`make test-openstack`" + `).
[operations.md](operations.md) describes the reasons.

| State | status | explain | doctor | metrics |
|---|---|---|---|---|
`
