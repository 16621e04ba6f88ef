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

// wrongClock is the error of one clock at a time, in both directions. It makes no backup or removal early or late: if Cinder's
// data timestamp is outside our own bounds, the age of a restore point comes from the database's clock alone.
const wrong = time.Hour

func TestPostgresAheadUnderFaults(t *testing.T)   { t.Parallel(); clocks(t, wrong, 0, 0, 0) }
func TestPostgresBehindUnderFaults(t *testing.T)  { t.Parallel(); clocks(t, -wrong, 0, 0, 0) }
func TestCinderAheadUnderFaults(t *testing.T)     { t.Parallel(); clocks(t, 0, wrong, 0, 0) }
func TestCinderBehindUnderFaults(t *testing.T)    { t.Parallel(); clocks(t, 0, -wrong, 0, 0) }
func TestSchedulersAskewUnderFaults(t *testing.T) { t.Parallel(); clocks(t, 0, 0, wrong, 0) }
func TestWorkersAskewUnderFaults(t *testing.T)    { t.Parallel(); clocks(t, 0, 0, 0, wrong) }

// runWithWrongClocks runs the load with wrong clocks, with unanswered creations and, if the schedulers' clocks are wrong, a
// kill of the leader. Of two schedulers or workers, one clock is ahead and one behind.
func clocks(t *testing.T, postgres, cinder, schedulers, workers time.Duration) {
	t.Helper()
	r := newInstallation(t, func(r *installation, o *cloudsim.Options, _ map[string]string) {
		o.Now = func() time.Time { return time.Now().Add(cinder) }
		r.program = shifted(t)
	})
	r.exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION staffeln_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT clock_timestamp() + interval ''%d s'''`, int(postgres.Seconds())))
	shift := func(by time.Duration) map[string]string {
		return map[string]string{shiftVariable: fmt.Sprint(int(by.Seconds()))}
	}
	crew := []*mate{
		r.join("scheduler", shift(schedulers)), r.join("scheduler", shift(-schedulers)),
		r.join("worker", shift(workers)), r.join("worker", shift(-workers)), r.join("api"),
	}
	r.loaded()
	if schedulers+workers > 0 {
		first, second := crew[0].saidAt(), crew[2].saidAt()
		require.WithinDuration(t, time.Now().Add(schedulers), first, 5*time.Minute, "the scheduler's clock is not wrong")
		require.WithinDuration(t, time.Now().Add(workers), second, 5*time.Minute, "the worker's clock is not wrong")
	}
	letGo := r.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 4, Do: cloudsim.DropAfterEffect{}})
	if schedulers > 0 { // the next leader has the other clock
		leads, _ := r.leader()
		require.NotNil(t, leads)
		leads.Kill()
		r.start(leads)
	}
	r.lasts(15 * time.Second)
	letGo()
	r.recovers(afterLease)
	require.Zero(t, r.twins(), "backups that were asked for twice")
	require.Positive(t, r.happened(cloudsim.BackupDeletion))
}

// firstLogTime returns the time of the first log line of a process.
func (m *mate) saidAt() time.Time {
	line, _, _ := strings.Cut(m.Log.String(), "\n")
	var said struct{ Time time.Time }
	require.NoError(m.T, json.Unmarshal([]byte(line), &said))
	return said.Time
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
func shifted(t *testing.T) string {
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
