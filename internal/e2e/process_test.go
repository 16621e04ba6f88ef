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

// program returns the path of the real binary. It is built once for all packages of tests: where it is current, nothing is
// linked again.
func program(t testing.TB) string {
	t.Helper()
	path, err := build()
	require.NoError(t, err)
	return path
}

var build = sync.OnceValues(func() (string, error) {
	ctx := context.Background()
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "staffeln").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(root)), ".bin", "e2e")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.Create(filepath.Join(dir, "lock")) // packages of tests run at the same time
	if err != nil {
		return "", err
	}
	defer lock.Close() //nolint:errcheck // nothing was written
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	path := filepath.Join(dir, "staffeln")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "staffeln/cmd/staffeln").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build staffeln: %w\n%s", err, out)
	}
	return path, nil
})

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
	p := launch(t, env, args...)
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
