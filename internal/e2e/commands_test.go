package e2e

import (
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// An interactiveCommand is a command of the real program with the given standard input.
type interactiveCommand struct {
	t   *testing.T
	cmd *exec.Cmd
	out *rig.Buffer
}

// startCommand starts a command with this standard input.
func (w *environment) startCommand(input string, args ...string) *interactiveCommand {
	w.T.Helper()
	env := w.settings()
	if args[0] == "purge-project" || args[0] == "import" {
		maps.Copy(env, w.Sim.OpenRC(w.CloudURL))
		env["STAFFELN_OPENSTACK_RETRY_TIMEOUT"] = "1"
	}
	p := &interactiveCommand{t: w.T, out: new(rig.Buffer), cmd: exec.CommandContext(w.Ctx, rig.Program(w.T), append(args, "--who", "ann@desk")...)}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.T.TempDir()}
	for name, value := range env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = io.NopCloser(strings.NewReader(input)), p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(w.T, p.cmd.Start())
	return p
}

// wait waits for the end of the command.
func (p *interactiveCommand) wait() (out string, code int) {
	p.t.Helper()
	_ = p.cmd.Wait() // the result is in ProcessState
	return p.out.String(), p.cmd.ProcessState.ExitCode()
}

// run runs a command with --yes.
func (w *environment) run(code int, args ...string) string {
	w.T.Helper()
	return w.runWithInput(code, "", append(args, "--yes")...)
}

// runWithInput runs a command with this standard input.
func (w *environment) runWithInput(code int, input string, args ...string) string {
	w.T.Helper()
	out, got := w.startCommand(input, args...).wait()
	require.Equal(w.T, code, got, out)
	return out
}

// oneLine joins a text into one line, however it was wrapped.
func oneLine(words string) string { return strings.Join(strings.Fields(words), " ") }

// lastAudits returns the newest lines of the audit table, oldest first: action and outcome.
func (w *environment) lastAudits(n int) (lines []string) {
	w.T.Helper()
	rows, err := w.Pool.Query(w.Ctx, `SELECT action || ': ' || outcome FROM (SELECT * FROM audit ORDER BY id DESC LIMIT $1) newest ORDER BY id`, n)
	require.NoError(w.T, err)
	defer rows.Close()
	for rows.Next() {
		var line string
		require.NoError(w.T, rows.Scan(&line))
		lines = append(lines, line)
	}
	require.NoError(w.T, rows.Err())
	return lines
}

// finishBackups lets the dispatched backups end, within the service period.
func (w *environment) finishBackups() {
	w.T.Helper()
	for range 3 {
		w.Dispatch()
		w.Step(time.Minute)
	}
}

// A manual backup is made within the interval, full or incremental as the chain requires. The next interval counts from it.
func TestBackupNowInsideTheInterval(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(5*time.Hour+15*time.Minute, 15*time.Minute)
	require.Equal(t, "F", w.Kinds(volumes[0]))
	out := w.run(0, "backup-now", volumes[0])
	require.Contains(t, oneLine(out), "an incremental backup")
	require.Equal(t, 1, w.Count("state = 'planned' AND manual"))
	w.finishBackups()
	require.Equal(t, "FI", w.Kinds(volumes[0]), "the plan's view of the volume was older than five minutes, and the worker read it again")
	manual := w.planTimes(volumes[0])[1]
	require.Equal(t, backup.Grid(w.Clock.Now(), w.Settings.BackupServicePeriod.Std()), manual)

	w.Advance(48*time.Hour, 15*time.Minute)
	times := w.planTimes(volumes[0])
	require.Equal(t, manual.Add(24*time.Hour), times[2])
	require.Equal(t, manual.Add(48*time.Hour), times[3])
	require.Equal(t, "FIIF", w.Kinds(volumes[0]))
	require.Len(t, w.lastAudits(10), 1)
	require.Regexp(t, `^backup-now: planned record \S+$`, w.lastAudits(1)[0])
	w.requireInvariants()
}

// planTimes returns the plan times of a volume's records.
func (w *environment) planTimes(volumeID string) (times []time.Time) {
	w.T.Helper()
	rows, err := w.Pool.Query(w.Ctx, `SELECT planned_at FROM records WHERE volume_id = $1 ORDER BY planned_at`, volumeID)
	require.NoError(w.T, err)
	defer rows.Close()
	for rows.Next() {
		var at time.Time
		require.NoError(w.T, rows.Scan(&at))
		times = append(times, at.UTC())
	}
	require.NoError(w.T, rows.Err())
	return times
}

// After the cause of a failure is fixed, an operator need not wait for the retry delay.
func TestBackupNowAfterAFailure(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 1, Do: cloudsim.FailLater{Reason: "the store is full"}})
	w.RunDue()
	w.Step(time.Minute)
	w.finishBackups()
	require.Equal(t, "deleted", w.History(volumes[0]))
	require.Equal(t, backup.BackupError, w.LastRecord(volumes[0]).Reason)
	w.Plan()
	w.finishBackups()
	require.Len(t, w.RecordsOf(volumes[0]), 1, "the plan waits")
	w.run(0, "backup-now", volumes[0])
	w.finishBackups()
	require.Equal(t, "deleted available", w.History(volumes[0]))
	w.requireInvariants()
}

// backup-now with a server's name requests a backup of each of its protected volumes.
func TestBackupNowOfAServer(t *testing.T) {
	t.Parallel()
	w := daily(t)
	acme := w.Sim.AddProject("acme")
	_, volumes := w.Protect(acme, "web-1", 2)
	_, others := w.Protect(acme, "web-2", 1)
	w.Advance(time.Hour, 15*time.Minute)
	w.run(0, "backup-now", "web-1")
	w.finishBackups()
	for _, v := range volumes {
		require.Equal(t, "FI", w.Kinds(v))
	}
	require.Equal(t, "F", w.Kinds(others[0]))
	require.Len(t, w.lastAudits(10), 2, "a line for each volume")
	w.requireInvariants()
}

// Two operators who ask at once get one backup.
func TestBackupNowTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := daily(t)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(time.Hour, 15*time.Minute)
	both := []*interactiveCommand{w.startCommand("", "backup-now", volumes[0]), w.startCommand("", "backup-now", volumes[0])}
	codes := 0
	for _, one := range both {
		out, code := one.wait()
		if codes += code; code == 1 {
			require.Contains(t, oneLine(out), "A backup of the volume is in progress.")
		}
	}
	require.Equal(t, 1, codes, "the second command reports that a backup is in progress")
	require.Equal(t, 1, w.Count("manual"))
	w.finishBackups()
	require.Equal(t, "FI", w.Kinds(volumes[0]))
	w.requireInvariants()
}

// If a chain's data cannot be trusted, the operator asks for a full: it begins a new chain at any depth.
func TestBackupNowMakesAFullOnRequest(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t, nil)
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(40*time.Minute, 5*time.Minute)
	require.Equal(t, "F", w.Kinds(volumes[0])[:1])
	before := len(w.Kinds(volumes[0]))
	w.run(0, "backup-now", volumes[0], "--full")
	w.Advance(20*time.Minute, 5*time.Minute)
	require.Equal(t, "F", w.Kinds(volumes[0])[before:before+1])
	require.Equal(t, 1, w.Count("volume_id = $1 AND kind = 'full' AND forced_full AND manual AND state = 'available'", volumes[0]))
}
