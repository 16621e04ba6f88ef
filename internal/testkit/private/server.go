package private

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	readyTime    = time.Minute            // timeout for a start
	stopTime     = 10 * time.Second       // timeout for a stop; then the server is killed
	pollInterval = 10 * time.Millisecond  // between two checks of a starting server
	pause        = 100 * time.Millisecond // before a restart is tried again
)

// errEnded means that the process ended before it was ready.
var errEnded = errors.New("ended before it responded")

// Server is one private server. It is safe for concurrent use.
type Server struct {
	URL    string // for clients; Restart keeps it
	Binary string // the path of the program

	name   string
	args   []string
	env    []string
	folder string
	attr   *syscall.SysProcAttr
	stop   syscall.Signal // for an orderly shutdown
	ready  func(context.Context) error

	mu      sync.Mutex
	process *os.Process
	ended   chan struct{} // closed when the process has ended
}

// start starts the process and waits until it is ready.
func (s *Server) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running() {
		return nil
	}
	if err := s.spawn(ctx); err != nil {
		return err
	}
	if err := s.waitReady(ctx); err != nil {
		_ = s.process.Kill() // fails if the process has ended, which is fine
		<-s.ended
		return fmt.Errorf("start %s: %w; its log ends: %s", s.name, err, tail(s.logFile()))
	}
	return nil
}

// spawn starts the process. The kernel's "parent died" signal is sent when the parent's thread ends, so one goroutine keeps
// its thread as long as the process lives.
func (s *Server) spawn(ctx context.Context) error {
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", s.name, err)
	}
	defer func() { _ = log.Close() }() // the process has its own descriptor
	cmd := exec.CommandContext(context.WithoutCancel(ctx), s.Binary, s.args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = s.folder, s.env, s.attr
	cmd.Stdout, cmd.Stderr = log, log

	started, ended := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the result matters only before the server was ready, and then it is in the log
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	s.process, s.ended = cmd.Process, ended
	return nil
}

func (s *Server) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		err := s.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return errEnded
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// Stop stops the server, and kills it after a timeout. It does nothing if the server has ended.
func (s *Server) Stop() error { return s.end(s.stop) }

// Kill ends the server like a crash: at once, without closing the connections properly.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

func (s *Server) end(how syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.running() {
		return nil
	}
	if err := s.process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", s.name, err)
	}
	timer := time.NewTimer(stopTime)
	defer timer.Stop()
	select {
	case <-s.ended:
		return nil
	case <-timer.C:
	}
	if err := s.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", s.name, err)
	}
	<-s.ended
	return nil
}

// Signal sends a signal to the server. After SIGSTOP, a Redis accepts connections but does not respond.
func (s *Server) Signal(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.process.Signal(signal); err != nil {
		return fmt.Errorf("send %s to %s: %w", signal, s.name, err)
	}
	return nil
}

// Restart starts a server that was stopped or killed, on the same address and with the data in its folder. It retries while
// the remains of the killed server prevent the start.
func (s *Server) Restart(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	for {
		err := s.start(ctx)
		if err == nil || !errors.Is(err, errEnded) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
	}
}

func (s *Server) running() bool {
	if s.process == nil {
		return false
	}
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

func (s *Server) logFile() string { return s.folder + ".log" }
