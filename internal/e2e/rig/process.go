package rig

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Process is one running subcommand of the real binary.
type Process struct {
	T    testing.TB
	Name string
	Cmd  *exec.Cmd
	Log  *Buffer
	Done chan struct{}
}

// Launch starts a subcommand with only the given environment variables. At the end of the test it stops the process and, if
// the test failed, shows its log.
func Launch(t testing.TB, env map[string]string, args ...string) *Process {
	t.Helper()
	return LaunchBinary(t, Program(t), env, args...)
}

// LaunchBinary is Launch with a given binary.
func LaunchBinary(t testing.TB, binary string, env map[string]string, args ...string) *Process {
	t.Helper()
	p := &Process{T: t, Name: strings.Join(args, " "), Cmd: exec.CommandContext(context.WithoutCancel(t.Context()), binary, args...), Log: new(Buffer), Done: make(chan struct{})}
	p.Cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	for name, value := range env {
		p.Cmd.Env = append(p.Cmd.Env, name+"="+value)
	}
	p.Cmd.Stdout, p.Cmd.Stderr = p.Log, p.Log
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, p.Cmd.Start())
	go func() { _ = p.Cmd.Wait(); close(p.Done) }() // the result is in ProcessState
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", p.Name, p.Log.Tail(6000))
		}
	})
	return p
}

// Stop sends SIGTERM and waits for the end of the process.
func (p *Process) Stop() {
	_ = p.Cmd.Process.Signal(syscall.SIGTERM) // the process may have ended already
	<-p.Done
}

// Kill ends the process with SIGKILL, like a power failure.
func (p *Process) Kill() {
	require.NoError(p.T, p.Cmd.Process.Kill())
	<-p.Done
}

// Output runs a subcommand until it ends, and returns its output and exit code.
func Output(t testing.TB, env map[string]string, args ...string) (output string, code int) {
	t.Helper()
	return Launch(t, env, args...).Result()
}

// Result waits until the process ends, and returns its output and exit code.
func (p *Process) Result() (output string, code int) {
	<-p.Done
	return p.Log.String(), p.Cmd.ProcessState.ExitCode()
}

// Buffer stores the output of a process. It is safe for several goroutines.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write adds to the buffer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns the whole buffer.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// Tail returns the last n bytes.
func (b *Buffer) Tail(n int) string {
	s := b.String()
	return s[max(0, len(s)-n):]
}
