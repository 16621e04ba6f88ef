package e2e

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

var updateGolden = flag.Bool("update", false, "write the golden files of testdata anew")

// The commands for people, after five days with many successes and many failures. The clock is stopped, so the output is
// fixed.
func TestTerminal(t *testing.T) {
	t.Parallel()
	w := fiveDays(t)
	lead, err := db.Lead(w.Ctx, w.URL, "scheduler-1/4711")
	require.NoError(t, err)
	t.Run("human", func(t *testing.T) {
		for name, args := range map[string][]string{
			"status": {"status"}, "status-volumes": {"status", "--volumes"}, "backups": {"backups", "--limit", "14"},
			"backups-failed": {"backups", "--state", "failed,undeletable", "--project", "globex"}, "backups-none": {"backups", "--volume", "nowhere"},
			"explain-healthy": {"explain", "data"}, "explain-late": {"explain", "archive"}, "explain-over-quota": {"explain", "cache"},
			"explain-server-deleted": {"explain", "logs"}, "explain-not-protected": {"explain", "scratch"}, "explain-in-progress": {"explain", "bulk-2"}, "explain-backlog": {"explain", "bulk-5"}, "explain-overdue": {"explain", "bulk-1"},
			"explain-shortened": {"explain", "mail"}, "explain-gone": {"explain", "old"}, "retention-plan": {"retention", "plan", "--days", "7"},
		} {
			t.Run(name, func(t *testing.T) { golden(t, name, w.terminal(0, args...)) })
		}
	})
	t.Run("json", func(t *testing.T) {
		for _, args := range [][]string{{"status", "--volumes"}, {"backups"}, {"explain", "data"}, {"explain", "bulk-1"}, {"explain", "cache"}, {"retention", "plan"}} {
			out := w.terminal(0, append(args, "--json")...)
			var held map[string]any
			require.NoError(t, json.Unmarshal([]byte(out), &held), out)
			require.NotContains(t, out, ": null,\n    {", "an empty list is []")
			rig.RequireDocumented(t, w.terminal(0, append(args, "--help")...), held)
		}
	})
	t.Run("refused", func(t *testing.T) {
		for want, args := range map[string][]string{
			"staffeln: explain volume bulk: 2 volumes have that name: [0 0]: use the ID; `staffeln status --volumes --json` lists them\n": {"explain", "bulk"},
		} {
			out := w.terminal(1, args...)
			require.Equal(t, want, regexp.MustCompile(`\[\S+ \S+\]`).ReplaceAllString(out, "[0 0]"))
		}
		require.Contains(t, w.terminal(2, "backups", "--state", "done"), `read --state: "done": want some of [planned creating`)
		require.Contains(t, w.terminal(2, "explain"), "name one VOLUME or SERVER, by ID or name")
		require.Contains(t, w.terminal(2, "retention", "plan", "--days", "-1"), "read --days: -1: want 0 to 1000000")
	})
	t.Run("no scheduler", func(t *testing.T) {
		lead.Resign()
		w.eventually("Postgres has noticed", func() bool { return strings.Contains(w.terminal(0, "status", "--json"), `"leads": false`) })
		w.Step(13 * time.Hour)
		golden(t, "status-alone", w.terminal(0, "status"))
	})
}

// fiveDays returns an environment at 12:02 of its sixth day.
func fiveDays(t *testing.T) *environment {
	t.Helper()
	w := daily(t, fourPlansADay, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgressPerProject, set.BackupCycleTimeout = 3, backup.Duration(12*time.Hour)
		set.RetentionShortenDelay = backup.Duration(day)
		o.BackupTime = func(sizeGiB int) time.Duration { return 30*time.Second + time.Duration(sizeGiB/100)*8*time.Hour }
	})
	acme, globex, initech := w.Sim.AddProject("acme"), w.Sim.AddProject("globex"), w.Sim.AddProject("initech")
	_, _ = w.addNamed(acme, "web-1", "true", "data")
	logs, _ := w.addNamed(acme, "db-1", "true", "logs")
	_, _ = w.addNamed(acme, "test-1", "no, thanks", "scratch")
	_, _ = w.addNamed(globex, "app-1", "true", "cache")
	_, archive := w.addNamed(initech, "file-1", "true", "archive")
	mail, _ := w.addNamed(initech, "mail-1", "true", "mail")
	w.Sim.SetMetadata(mail, w.Settings.RetentionMetadataKey, "1w")
	_, old := w.addNamed(initech, "old-1", "true", "old")
	w.runDays(1)
	w.Sim.SetQuota(globex, 1, -1)
	w.runDays(1)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Project: initech, Match: func(r cloudsim.Request) bool { return r.Volume == archive[0] }, Do: cloudsim.Refuse{Status: http.StatusServiceUnavailable}})
	w.Sim.DeleteVolume(old[0])
	w.runDays(2)
	w.Sim.DeleteServer(logs)
	bulk := w.Sim.AddProject("umbrella")
	server, _ := w.addNamed(bulk, "bulk-server-with-a-long-name", "true")
	large := func(names ...string) {
		for _, name := range names {
			w.Sim.Attach(server, w.Sim.AddVolume(bulk, name, 300))
		}
	}
	large("bulk-1")
	w.runPeriods(2)
	w.Sim.SetMetadata(mail, w.Settings.RetentionMetadataKey, "1d")
	w.runPeriods(1)
	large("bulk-2", "bulk-3", "bulk-4")
	w.runPeriods(1)
	large("bulk-5", "bulk", "bulk")
	w.Reconcile()
	w.Exec(`UPDATE records SET state = 'undeletable', removal_reason = 'deletion_stuck', removal_text = 'error_deleting', deletion_requested_at = ended_at + '1 day',
		next_try_at = '2026-03-07 12:00+00' WHERE id = (SELECT id FROM records WHERE volume_name = 'logs' AND kind = 'incremental' ORDER BY data_timestamp DESC LIMIT 1)`)
	w.RunDue()
	w.Step(2 * time.Minute)
	w.Dispatch()
	return w
}

// addNamed creates a server with volumes of these names.
func (w *environment) addNamed(project, server, wish string, volumes ...string) (serverID string, ids []string) {
	serverID = w.Sim.AddServer(project, server, map[string]string{w.Settings.BackupMetadataKey: wish})
	for _, name := range volumes {
		id := w.Sim.AddVolume(project, name, 1)
		w.Sim.Attach(serverID, id)
		ids = append(ids, id)
	}
	return serverID, ids
}

func (w *environment) runDays(n int) {
	w.T.Helper()
	w.runPeriods(n * int(day/w.Settings.BackupServicePeriod.Std()))
}

// runPeriods runs the given number of service periods: the runs of each, and two more dispatches one minute apart.
func (w *environment) runPeriods(n int) {
	w.T.Helper()
	period := w.Settings.BackupServicePeriod.Std()
	for range n {
		w.RunDue()
		for range 2 {
			w.Step(time.Minute)
			w.Dispatch()
		}
		w.Step(period - 2*time.Minute)
	}
}

// terminal runs a command of the real program on the environment's database, without cloud and queue.
func (w *environment) terminal(code int, args ...string) string {
	w.T.Helper()
	out, got := rig.Output(w.T, w.settings(), args...)
	require.Equal(w.T, code, got, out)
	return out
}

// settings returns the environment variables of such a command.
func (w *environment) settings() map[string]string {
	seconds := func(d backup.Duration) string { return strconv.Itoa(int(d.Std() / time.Second)) }
	return map[string]string{
		"STAFFELN_DATABASE_URL": w.URL, "STAFFELN_BACKUP_MIN_INTERVAL": seconds(w.Settings.BackupMinInterval), "TERM": "xterm",
		"STAFFELN_BACKUP_SERVICE_PERIOD": seconds(w.Settings.BackupServicePeriod), "STAFFELN_RETENTION_SERVICE_PERIOD": seconds(w.Settings.RetentionServicePeriod),
		"STAFFELN_RETENTION_SHORTEN_DELAY": seconds(w.Settings.RetentionShortenDelay), "STAFFELN_REPORT_PERIOD": seconds(w.Settings.RetentionShortenDelay / 2),
		"STAFFELN_RETENTION_TIME": w.Settings.RetentionTime.String(), "STAFFELN_BACKUP_CYCLE_TIMEOUT": seconds(w.Settings.BackupCycleTimeout),
	}
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b`)

// golden compares an output with testdata/terminal/name.golden, in which IDs are zeros.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = anyID.ReplaceAllStringFunc(got, func(id string) string { return regexp.MustCompile(`[0-9a-f]`).ReplaceAllString(id, "0") })
	for line := range strings.SplitSeq(got, "\n") {
		assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, "%q", line)
	}
	require.NotContains(t, got, "\x1b", "no colours without a terminal")
	file := filepath.Join("testdata", "terminal", name+".golden")
	if *updateGolden {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "changed on purpose? make test PACKAGES=./internal/e2e FLAGS='-run TestTerminal -update'")
}
