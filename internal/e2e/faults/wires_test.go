//go:build faults

package faults

import (
	"testing"
	"time"
)

// connections are the pairs of process and server.
var wires = []string{
	"scheduler-postgres", "scheduler-redis", "scheduler-cloud", "worker-postgres", "worker-redis", "worker-cloud", "api-postgres", "api-redis",
}

// breakEach adds faults to one connection after the other, in random order, each for a random time between the two limits.
func (r *installation) spoilEach(least, most time.Duration, faults ...string) {
	r.T.Helper()
	for _, wire := range r.shuffled(append([]string{}, wires...)...) {
		mend := r.wiring.spoil(wire, faults...)
		r.lasts(r.between(least, most))
		mend()
	}
}

// Packets are dropped in both directions without an error; in the end the connections break.
func TestWiresCutUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, wired).crewed()
	r.spoilEach(10*time.Second, 20*time.Second,
		`{"name": "up", "type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`,
		`{"name": "down", "type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`)
	r.alive()
	r.recovers(afterLease)
}

// All responses arrive late, and requests in small pieces.
func TestWiresSlowUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, wired).crewed()
	r.spoilEach(6*time.Second, 12*time.Second,
		`{"name": "late", "type": "latency", "stream": "downstream", "attributes": {"latency": 300, "jitter": 200}}`,
		`{"name": "torn", "type": "slicer", "stream": "upstream", "attributes": {"average_size": 200, "size_variation": 100, "delay": 1000}}`)
	r.alive()
	r.recovers(afterLease)
}

// Connections are reset at their first response, and again after each reconnect.
func TestWiresResetUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, wired).crewed()
	r.spoilEach(5*time.Second, 10*time.Second, `{"name": "reset", "type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 100}}`)
	r.alive()
	r.recovers(afterLease)
}
