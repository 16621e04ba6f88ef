package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	readyTime = 30 * time.Second // for a process to be ready
	endTime   = 10 * time.Second // for a process to end after it was asked to
)

// household are the real processes of this program that the demo runs, each with a log of its own.
type household struct {
	program string
	folder  string            // of the logs
	env     map[string]string // of every process: nothing else is in its environment
	members []*member
}

// member is one of them. A member that was killed keeps its place, its name and its address for its successor.
type member struct {
	name, command, address string
	cmd                    *exec.Cmd
	ended                  chan struct{} // closed when it has
	wanted                 bool          // it is to run: its end is a fault
}

func (m *member) running() bool {
	if m.cmd == nil {
		return false
	}
	select {
	case <-m.ended:
		return false
	default:
		return true
	}
}

// newHousehold makes places for all of them on free ports.
func newHousehold(ctx context.Context, folder string, env map[string]string) (*household, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	h := &household{program: program, folder: folder, env: env}
	for _, name := range []string{"api", "scheduler-1", "scheduler-2", "worker-1", "worker-2"} {
		address, err := freeAddress(ctx)
		if err != nil {
			return nil, err
		}
		command, _, _ := strings.Cut(name, "-")
		h.members = append(h.members, &member{name: name, command: command, address: address})
	}
	return h, nil
}

// freeAddress finds a port that nobody listens on at this moment. Its member listens there later, and again after it was
// killed: so it is none of those that a system lends to whoever asks for any (Linux: from 32768 on).
func freeAddress(ctx context.Context) (string, error) {
	const first, ports, tries = 20000, 12000, 100
	var refused error
	for range tries {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(ports)) //nolint:gosec // any will do
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err == nil {
			_ = listener.Close() // it only lent its port
			return address, nil
		}
		refused = err
	}
	return "", fmt.Errorf("find free port from %d to %d: %w", first, first+ports-1, refused)
}

func (h *household) named(name string) *member {
	return h.members[slices.IndexFunc(h.members, func(m *member) bool { return m.name == name })]
}

// command prepares a subcommand of this program with the household's environment.
func (h *household) command(ctx context.Context, more map[string]string, args ...string) *exec.Cmd {
	env := maps.Clone(h.env)
	maps.Copy(env, more)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), h.program, args...) //nolint:gosec // this very program
	for _, name := range slices.Sorted(maps.Keys(env)) {
		cmd.Env = append(cmd.Env, name+"="+env[name])
	}
	cmd.SysProcAttr = ownGroup()
	return cmd
}

// start starts a member; its log goes on where its predecessor's ended.
func (h *household) start(ctx context.Context, m *member) error {
	log, err := os.OpenFile(h.log(m), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log of %s: %w", m.name, err)
	}
	defer func() { _ = log.Close() }() // the child has its own
	variable := "STAFFELN_METRICS_LISTEN"
	if m.command == "api" {
		variable = "STAFFELN_API_LISTEN"
	}
	cmd := h.command(ctx, map[string]string{variable: m.address}, m.command)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", m.name, err)
	}
	ended := make(chan struct{})
	m.cmd, m.ended, m.wanted = cmd, ended, true
	go func() { _ = cmd.Wait(); close(ended) }() // how it ended is in ProcessState
	return nil
}

func (h *household) log(m *member) string { return filepath.Join(h.folder, m.name+".log") }

// ready waits until every member says of itself that it can work.
func (h *household) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	beat := time.NewTicker(50 * time.Millisecond)
	defer beat.Stop()
	for _, m := range h.members {
		for !saysReady(ctx, m.address) {
			select {
			case <-beat.C:
				if err := h.fault(); err != nil {
					return err
				}
			case <-ctx.Done():
				return fmt.Errorf("wait for %s: %w; look into %s", m.name, ctx.Err(), h.log(m))
			}
		}
	}
	return nil
}

func saysReady(ctx context.Context, address string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // its code is what was asked for
	return answer.StatusCode == http.StatusOK
}

// fault tells of a member that ended by itself.
func (h *household) fault() error {
	for _, m := range h.members {
		if m.wanted && !m.running() {
			return fmt.Errorf("run %s: it ended by itself (%v) and said last: %s; look into %s", m.name, m.cmd.ProcessState, lastLine(h.log(m)), h.log(m))
		}
	}
	return nil
}

// lastLine is the last line of a log; why there is none, where it can't be read.
func lastLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return lines[len(lines)-1]
}

// kill ends a member as a power cut does.
func (m *member) kill() error {
	m.wanted = false
	err := m.cmd.Process.Kill()
	<-m.ended
	return err
}

// stop asks the members of these commands to end, all at once, and waits for them.
func (h *household) stop(commands ...string) error {
	var asked []*member
	for _, m := range h.members {
		m.wanted = m.wanted && !slices.Contains(commands, m.command)
		if m.running() && slices.Contains(commands, m.command) {
			asked = append(asked, m)
			_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may just have ended
		}
	}
	late := time.NewTimer(endTime)
	defer late.Stop()
	var faults []error
	for _, m := range asked {
		select {
		case <-m.ended:
		case <-late.C:
			faults = append(faults, fmt.Errorf("end %s: it did not within %s of being asked, and was killed; look into %s", m.name, endTime, h.log(m)), m.kill())
			late.Reset(0)
		}
	}
	return errors.Join(faults...)
}
