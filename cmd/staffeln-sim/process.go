package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"syscall"
)

// process is one process of Staffeln. One that was killed keeps its name and address for its restart.
type process struct {
	name, command, address string
	cmd                    *exec.Cmd
	ended                  chan struct{} // closed when it has ended
	wanted                 bool          // it should run: its end is a fault
}

func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// ready reports whether /readyz of the process returns 200.
func (p *process) ready(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+"/readyz", http.NoBody)
	if err != nil {
		return false
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close() // only its code counts
	return response.StatusCode == http.StatusOK
}

func (p *process) terminate() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may just have ended
}

// kill ends the process without a chance to clean up.
func (p *process) kill() error {
	p.wanted = false
	err := p.cmd.Process.Kill()
	<-p.ended
	return err
}

// freeAddress returns an address on which nobody listens now. The process listens there later, and again after a restart,
// so the port must not be in the ephemeral range (Linux: from 32768 on).
func freeAddress(ctx context.Context) (string, error) {
	const first, ports, tries = 20000, 12000, 100
	var refused error
	for range tries {
		address := fmt.Sprintf("127.0.0.1:%d", first+rand.IntN(ports)) //nolint:gosec // needs no secrecy
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err == nil {
			_ = listener.Close() // only its port was wanted
			return address, nil
		}
		refused = err
	}
	return "", fmt.Errorf("find free port from %d to %d: %w", first, first+ports-1, refused)
}
