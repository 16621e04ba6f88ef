//go:build faults

package faults

import (
	"testing"
	"time"
)

// wires are the pairs of process and server.
var wires = []string{
	"scheduler-postgres", "scheduler-redis", "scheduler-cloud", "worker-postgres", "worker-redis", "worker-cloud", "api-postgres", "api-redis",
}

// spoilEach spoils one wire after the other, in an order of chance, for as long as given.
func (r *installation) spoilEach(least, most time.Duration, faults ...string) {
	r.T.Helper()
	for _, wire := range r.shuffled(append([]string{}, wires...)...) {
		mend := r.wiring.spoil(wire, faults...)
		r.lasts(r.between(least, most))
		mend()
	}
}

// Nothing comes through any more, in both directions, and nobody is told; in the end the connections break.
func TestWiresCutUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, wired).crewed()
	r.spoilEach(10*time.Second, 20*time.Second,
		`{"name": "up", "type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`,
		`{"name": "down", "type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`)
	r.alive()
	r.recovers(afterLease)
}

// All answers come late and in small pieces.
func TestWiresSlowUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, wired).crewed()
	r.spoilEach(6*time.Second, 12*time.Second,
		`{"name": "late", "type": "latency", "stream": "downstream", "attributes": {"latency": 300, "jitter": 200}}`,
		`{"name": "torn", "type": "slicer", "stream": "upstream", "attributes": {"average_size": 200, "size_variation": 100, "delay": 1000}}`)
	r.alive()
	r.recovers(afterLease)
}

// Connections are reset: each at its first answer, and again when it is made anew.
func TestWiresResetUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, wired).crewed()
	r.spoilEach(5*time.Second, 10*time.Second, `{"name": "reset", "type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 100}}`)
	r.alive()
	r.recovers(afterLease)
}
