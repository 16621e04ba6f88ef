package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	readyTimeout = 30 * time.Second // for a process to be ready
	stopTimeout  = 10 * time.Second // for a process to end after it was asked to
)

// supervisor runs the real processes of Staffeln, each with a log of its own.
type supervisor struct {
	program   string
	folder    string            // of the logs
	env       map[string]string // of every process, which gets nothing else
	processes []*process
}

// findProgram returns the path of staffeln, which has to be in the same folder as this program.
func findProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find the folder of staffeln-sim: %w", err)
	}
	program := filepath.Join(filepath.Dir(self), "staffeln")
	if _, err := os.Stat(program); err != nil {
		return "", fmt.Errorf("find staffeln beside staffeln-sim: %w: run `make build`, which builds both into bin/, and start bin/staffeln-sim; or put staffeln into %s",
			err, filepath.Dir(self))
	}
	return program, nil
}

// newSupervisor chooses a free address for each process.
func newSupervisor(ctx context.Context, program, folder string, env map[string]string) (*supervisor, error) {
	s := &supervisor{program: program, folder: folder, env: env}
	for _, name := range []string{"api", "scheduler-1", "scheduler-2", "worker-1", "worker-2"} {
		address, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		command, _, _ := strings.Cut(name, "-")
		s.processes = append(s.processes, &process{name: name, command: command, address: address})
	}
	return s, nil
}

func (s *supervisor) named(name string) *process {
	return s.processes[slices.IndexFunc(s.processes, func(p *process) bool { return p.name == name })]
}

// command prepares a subcommand of staffeln with the supervisor's variables and these.
func (s *supervisor) command(ctx context.Context, more map[string]string, args ...string) *exec.Cmd {
	env := maps.Clone(s.env)
	maps.Copy(env, more)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), s.program, args...) //nolint:gosec // our own program
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	cmd.SysProcAttr = childAttributes()
	return cmd
}

// start starts a process. A restarted process appends to its log.
func (s *supervisor) start(ctx context.Context, p *process) error {
	log, err := os.OpenFile(s.log(p), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", p.name, err)
	}
	defer func() { _ = log.Close() }() // the child has its own descriptor
	variable := "STAFFELN_METRICS_LISTEN"
	if p.command == "api" {
		variable = "STAFFELN_API_LISTEN"
	}
	cmd := s.command(ctx, map[string]string{variable: p.address}, p.command)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	ended := make(chan struct{})
	p.cmd, p.ended, p.wanted = cmd, ended, true
	go func() { _ = cmd.Wait(); close(ended) }() // ProcessState shows how it ended
	return nil
}

func (s *supervisor) log(p *process) string { return filepath.Join(s.folder, p.name+".log") }

// waitReady waits until every process reports that it is ready.
func (s *supervisor) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for _, p := range s.processes {
		for !p.ready(ctx) {
			select {
			case <-ticker.C:
				if err := s.fault(); err != nil {
					return err
				}
			case <-ctx.Done():
				return fmt.Errorf("wait for %s: %w; see %s", p.name, ctx.Err(), s.log(p))
			}
		}
	}
	return nil
}

// fault returns an error if a process ended that should run.
func (s *supervisor) fault() error {
	for _, p := range s.processes {
		if p.wanted && !p.running() {
			return fmt.Errorf("run %s: it ended (%v); the last line of its log: %s; see %s", p.name, p.cmd.ProcessState, lastLine(s.log(p)), s.log(p))
		}
	}
	return nil
}

// lastLine returns the last line of a log, or why it can't be read.
func lastLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// stop asks the processes of these commands to end, all at once, and waits for them.
func (s *supervisor) stop(commands ...string) error {
	var asked []*process
	for _, p := range s.processes {
		p.wanted = p.wanted && !slices.Contains(commands, p.command)
		if p.running() && slices.Contains(commands, p.command) {
			asked = append(asked, p)
			p.terminate()
		}
	}
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	var faults []error
	for _, p := range asked {
		select {
		case <-p.ended:
		case <-timeout.C:
			faults = append(faults, fmt.Errorf("stop %s: still running after %s, killed; see %s", p.name, stopTimeout, s.log(p)), p.kill())
			timeout.Reset(0)
		}
	}
	return errors.Join(faults...)
}
