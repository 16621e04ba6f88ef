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
	readyTime = time.Minute            // a server that takes longer to answer has failed
	stopTime  = 10 * time.Second       // a server that takes longer to stop is killed
	beat      = 10 * time.Millisecond  // between two looks at a server that starts
	pause     = 100 * time.Millisecond // before a restart is tried again
)

// errEnded tells that the process ended before it was ready.
var errEnded = errors.New("ended before it answered")

// Server is one private server. Its methods may be called from several goroutines.
type Server struct {
	URL    string // for clients; stays the same over Restart
	Binary string // the program that runs

	name   string
	args   []string
	env    []string
	folder string
	attr   *syscall.SysProcAttr
	stop   syscall.Signal // asks for an orderly end
	ready  func(context.Context) error

	mu      sync.Mutex
	process *os.Process
	ended   chan struct{} // closed when the process is gone
}

// start starts the process and waits until it answers.
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
		_ = s.process.Kill() // it may have ended by itself: that is what we wait for
		<-s.ended
		return fmt.Errorf("start %s: %w; its log ends: %s", s.name, err, tail(s.logFile()))
	}
	return nil
}

// spawn makes the process. The kernel's "parent died" signal really means the parent's thread, so one goroutine keeps
// its thread for as long as the process lives.
func (s *Server) spawn(ctx context.Context) error {
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", s.name, err)
	}
	defer func() { _ = log.Close() }() // the process has its own copy
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
			_ = cmd.Wait() // how it ended matters only before it was ready, and then its log tells
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
	tick := time.NewTicker(beat)
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

// Stop asks the server to end, waits, and kills it when it takes too long. A server that has ended stays so.
func (s *Server) Stop() error { return s.end(s.stop) }

// Kill ends the server as a crash does, at once and without a word to its clients.
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

// Signal sends a signal to the server's process: SIGSTOP makes a Redis that accepts connections and answers nothing.
func (s *Server) Signal(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.process.Signal(signal); err != nil {
		return fmt.Errorf("send %s to %s: %w", signal, s.name, err)
	}
	return nil
}

// Restart starts a server that was stopped or killed, on its old address and with what its folder still holds.
// It tries again while the remains of a killed server are still in the way.
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
