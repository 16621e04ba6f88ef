//go:build faults

package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// skew is the error of one clock at a time, in both directions. It makes no backup or removal early or late: if Cinder's
// data timestamp exceeds our own bounds, the age of a restore point comes from the database's clock alone.
const skew = time.Hour

func TestPostgresAheadUnderFaults(t *testing.T)    { t.Parallel(); runSkewed(t, skew, 0, 0, 0) }
func TestPostgresBehindUnderFaults(t *testing.T)   { t.Parallel(); runSkewed(t, -skew, 0, 0, 0) }
func TestCinderAheadUnderFaults(t *testing.T)      { t.Parallel(); runSkewed(t, 0, skew, 0, 0) }
func TestCinderBehindUnderFaults(t *testing.T)     { t.Parallel(); runSkewed(t, 0, -skew, 0, 0) }
func TestSchedulersSkewedUnderFaults(t *testing.T) { t.Parallel(); runSkewed(t, 0, 0, skew, 0) }
func TestWorkersSkewedUnderFaults(t *testing.T)    { t.Parallel(); runSkewed(t, 0, 0, 0, skew) }

// runSkewed runs the load with wrong clocks, with creations without a response and, if the schedulers' clocks are wrong, a
// kill of the leader. Of two schedulers or workers, one clock is ahead and one behind.
func runSkewed(t *testing.T, postgres, cinder, schedulers, workers time.Duration) {
	t.Helper()
	r := newInstallation(t, func(r *installation, o *cloudsim.Options, _ map[string]string) {
		o.Now = func() time.Time { return time.Now().Add(cinder) }
		r.program = shiftedProgram(t)
	})
	r.exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp() + interval ''%d s'''`, int(postgres.Seconds())))
	shift := func(by time.Duration) map[string]string {
		return map[string]string{shiftVariable: fmt.Sprint(int(by.Seconds()))}
	}
	instances := []*instance{
		r.addInstance("scheduler", shift(schedulers)), r.addInstance("scheduler", shift(-schedulers)),
		r.addInstance("worker", shift(workers)), r.addInstance("worker", shift(-workers)), r.addInstance("api"),
	}
	r.waitLoaded()
	if schedulers+workers > 0 {
		first, second := instances[0].firstLogTime(), instances[2].firstLogTime()
		require.WithinDuration(t, time.Now().Add(schedulers), first, 5*time.Minute, "the scheduler's clock is not wrong")
		require.WithinDuration(t, time.Now().Add(workers), second, 5*time.Minute, "the worker's clock is not wrong")
	}
	release := r.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 4, Do: cloudsim.DropAfterEffect{}})
	if schedulers > 0 { // the next leader has the other clock
		leads, _ := r.leader()
		require.NotNil(t, leads)
		leads.Kill()
		r.start(leads)
	}
	r.wait(15 * time.Second)
	release()
	r.requireRecovery(afterLease)
	require.Zero(t, r.duplicates(), "backups that were requested twice")
	require.Positive(t, r.events(cloudsim.BackupDeletion))
}

// firstLogTime returns the time of the first log line of a process.
func (m *instance) firstLogTime() time.Time {
	line, _, _ := strings.Cut(m.Log.String(), "\n")
	var output struct{ Time time.Time }
	require.NoError(m.T, json.Unmarshal([]byte(line), &output))
	return output.Time
}

// shiftVariable is the environment variable with the clock error in seconds.
const shiftVariable = "CLOCK_SHIFT"

var shiftedBuild struct {
	once sync.Once
	path string
	err  error
}

// shiftedProgram builds the program with a patched Go library, whose wall clock is wrong by the value of shiftVariable.
// Nothing else can shift the clock of a Go program: it reads the clock from the kernel without the C library, and a time
// namespace has no wall clock of its own.
func shiftedProgram(t *testing.T) string {
	t.Helper()
	plain := rig.Program(t)
	shiftedBuild.once.Do(func() {
		shiftedBuild.path = plain + "-shifted"
		shiftedBuild.err = buildShifted(context.WithoutCancel(t.Context()), filepath.Dir(plain), shiftedBuild.path)
	})
	require.NoError(t, shiftedBuild.err)
	return shiftedBuild.path
}

func buildShifted(ctx context.Context, dir, path string) error {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("find Go's own source: %w", err)
	}
	library := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		return err
	}
	const reads = "\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), reads) != 1 {
		return fmt.Errorf("shift Go's clock: time.Now does not read the clock by %q once", reads)
	}
	replaced := map[string]string{}
	for name, text := range map[string]string{
		"time.go": strings.Replace(string(source), reads, reads+"\tsec += shift\n", 1),
		"shift.go": "package time\n\nimport \"syscall\"\n\nvar shift = readShift()\n\nfunc readShift() int64 {\n" +
			"\ttext, _ := syscall.Getenv(\"" + shiftVariable + "\")\n\tn, _ := atoi(text)\n\treturn int64(n)\n}\n",
	} {
		replaced[filepath.Join(library, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", path, "staffeln/cmd/staffeln").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build staffeln with a shifted clock: %w\n%s", err, out)
	}
	return nil
}
