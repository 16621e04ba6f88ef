package e2e

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/db"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/testkit"
)

// doctor runs the command with a scheduler's environment variables, and returns its findings by check, as "severity: text".
func (w *environment) doctor(code int, change map[string]string) map[string][]string {
	w.T.Helper()
	env := w.settings()
	maps.Copy(env, w.Sim.OpenRC(w.CloudURL))
	env["STAFFELN_REDIS_URL"] = w.RedisURL
	maps.Copy(env, change)
	out, got := rig.Output(w.T, env, "doctor", "--json")
	require.Equal(w.T, code, got, out)
	var output struct {
		Findings []struct{ Check, Severity, Text, Do string }
	}
	require.NoError(w.T, json.NewDecoder(strings.NewReader(out)).Decode(&output), out)
	found := map[string][]string{}
	for _, f := range output.Findings {
		found[f.Check] = append(found[f.Check], f.Severity+": "+f.Text)
	}
	return found
}

// Doctor checks real servers, and a cloud over HTTP. At first only the tests' own Postgres and Redis are not as they should
// be; then one thing after the other is broken.
func TestDoctor(t *testing.T) {
	t.Parallel()
	w := daily(t)
	var lead *db.Leadership
	testkit.Eventually(t, "the server has ended the session that led before", time.Minute, func() bool {
		one, err := db.Lead(w.Ctx, w.URL, "scheduler-1")
		lead = one
		return err == nil
	})
	t.Cleanup(lead.Resign)
	w.Term = lead.Term
	acme := w.Sim.AddProject("acme")
	_, volumes := w.Protect(acme, "web-1", 2)
	w.Sim.SetQuota(acme, 10, -1)
	w.Advance(20*time.Minute, 10*time.Minute)
	w.Reconcile()
	w.Dispatch()

	found := w.doctor(4, nil)
	require.Contains(t, found["database"], "error: fsync is off: a power failure loses records, and their backups become orphans")
	require.Contains(t, found["queue"][0], "append-only")
	require.Len(t, found["cloud"], 1)
	require.Regexp(t, `^warning: Keystone's clock and the database's differ by \d`, found["cloud"][0], "the database's clock is a stepped one here, that of the cloud's HTTP server is not")
	require.Equal(t, []string{"ok: a token and free quota in each of the 1 projects with protected volumes"}, found["projects"])
	require.Equal(t, []string{"ok: records and Cinder agree"}, found["invariants"])
	require.Equal(t, []string{"ok: a scheduler is active, and its runs are in time"}, found["scheduler"])
	require.Equal(t, []string{"ok: 2 volumes are protected, 0 wait for their first restore point"}, found["protection"])
	require.Contains(t, found["forecast"][0], "ok: a round of 2 volumes")

	// As after the restore of an older dump: a backup without a record, and a record without its backup.
	orphan := w.Sim.AddBackup(cloudsim.NewBackup{Volume: volumes[0], Metadata: backup.Tag{Installation: w.Scheduler.Identity.Installation, Record: "forgotten"}.Metadata()})
	require.Contains(t, w.doctor(4, nil)["invariants"][0], "orphan: ", "doctor compares all of it now, and does not wait for a reconcile run")
	w.Sim.SetQuota(acme, 3, -1)
	w.Sim.SetBackupService(false)
	require.NoError(t, w.DB.RecordOperatorAction(w.Ctx, db.OperatorAction{Who: "test", Action: db.ActionPause}, func() (string, error) {
		_, err := w.DB.Pause(w.Ctx, db.Pause{Who: "test"})
		return "", err
	}))
	lead.Resign()
	w.Step(40 * time.Hour)
	w.eventually("Postgres has noticed", func() bool {
		return w.doctor(4, nil)["scheduler"][0] != "warning: pauses in force: 1; no new backup starts there"
	})
	found = w.doctor(4, nil)
	require.Contains(t, found["invariants"][0], "error: orphan:")
	require.Contains(t, found["invariants"][0], orphan)
	require.Equal(t, []string{"error: project acme: its quota of backups is used up (3 of 3); its next backups fail"}, found["projects"])
	require.Contains(t, found["cloud"], "error: no cinder-backup service is up")
	require.Contains(t, found["scheduler"][0], "error: No scheduler leads now")
	require.Contains(t, found["protection"][0], "error: 2 volumes are late")

	// An unreachable service is reported, and all other checks run.
	found = w.doctor(4, map[string]string{"OS_PASSWORD": "wrong", "STAFFELN_REDIS_URL": "redis://127.0.0.1:1/0"})
	require.Contains(t, found["cloud"][0], "error: connect to cloud")
	require.Contains(t, found["queue"][0], "error: ")
	require.Contains(t, found["invariants"][0], "unknown: ")
	require.NotEmpty(t, found["forecast"])
	w.Sim.RemoveBackup(orphan)
	w.requireInvariants()
}
