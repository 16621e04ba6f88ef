package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// built is a real binary, built once for all tests of this package.
type built struct {
	once sync.Once
	path string
	err  error
}

var build, buildSim built

// program builds staffeln.
func program(t testing.TB) string {
	t.Helper()
	return build.binary(t, "staffeln", func() (string, error) {
		return os.MkdirTemp("", "staffeln-e2e-") //nolint:usetesting // it outlives the test that builds first
	})
}

// simProgram builds staffeln-sim beside staffeln, which its demo starts.
func simProgram(t testing.TB) string {
	t.Helper()
	folder := filepath.Dir(program(t))
	return buildSim.binary(t, "staffeln-sim", func() (string, error) { return folder, nil })
}

func (b *built) binary(t testing.TB, name string, folder func() (string, error)) string {
	t.Helper()
	b.once.Do(func() {
		dir, err := folder()
		if err != nil {
			b.err = err
			return
		}
		b.path = filepath.Join(dir, name)
		out, err := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "build", "-o", b.path, "staffeln/cmd/"+name).CombinedOutput()
		if err != nil {
			b.err = fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	})
	require.NoError(t, b.err)
	return b.path
}

// TestMain removes the binary that tests have built. Started with dispatchTerm
// in its environment, this program is no test but a scheduler that dispatches
// in that term, whether it leads or not.
func TestMain(m *testing.M) {
	if term := os.Getenv(dispatchTerm); term != "" {
		if err := dispatchForced(term); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if build.path != "" {
		_ = os.RemoveAll(filepath.Dir(build.path)) // the system's temporary folder is cleaned anyway
	}
	os.Exit(code)
}

// process is one running subcommand of the real binary.
type process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	log  *lockedBuffer
	done chan struct{}
}

// launch starts a subcommand with nothing in its environment but what is
// given. At the test's end it is told to stop, and its log is shown where the
// test failed.
func launch(t testing.TB, env map[string]string, args ...string) *process {
	t.Helper()
	return launchOf(t, program(t), env, args...)
}

// launchOf does it with a given build of the binary.
func launchOf(t testing.TB, binary string, env map[string]string, args ...string) *process {
	t.Helper()
	p := &process{t: t, name: strings.Join(args, " "), cmd: exec.CommandContext(context.WithoutCancel(t.Context()), binary, args...), log: new(lockedBuffer), done: make(chan struct{})}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	for name, value := range env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, p.cmd.Start())
	go func() { _ = p.cmd.Wait(); close(p.done) }() // how it ended is in ProcessState
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", p.name, p.log.tail(6000))
		}
	})
	return p
}

// stop asks the process to end and waits for it.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	<-p.done
}

// kill ends the process as a power cut does.
func (p *process) kill() {
	require.NoError(p.t, p.cmd.Process.Kill())
	<-p.done
}

// finish waits for a subcommand that ends by itself and returns what it wrote.
func finish(t testing.TB, env map[string]string, args ...string) (output string, code int) {
	t.Helper()
	return launch(t, env, args...).result()
}

// result waits for the process and returns what it wrote.
func (p *process) result() (output string, code int) {
	<-p.done
	return p.log.String(), p.cmd.ProcessState.ExitCode()
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *lockedBuffer) tail(n int) string {
	s := b.String()
	return s[max(0, len(s)-n):]
}
