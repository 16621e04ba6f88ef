//go:build faults

package faults

import (
	"testing"
	"time"
)

// connections are the pairs of process and server.
var connections = []string{
	"scheduler-postgres", "scheduler-redis", "scheduler-cloud", "worker-postgres", "worker-redis", "worker-cloud", "api-postgres", "api-redis",
}

// breakEach adds faults to one connection after the other, in random order, each for a random time between the two limits.
func (r *installation) breakEach(least, most time.Duration, faults ...string) {
	r.T.Helper()
	for _, connection := range r.shuffled(append([]string{}, connections...)...) {
		endFault := r.proxies.fail(connection, faults...)
		r.wait(r.randomTime(least, most))
		endFault()
	}
}

// Packets are dropped in both directions without an error; in the end the connections break.
func TestConnectionsCutUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, withProxies).withInstances()
	r.breakEach(10*time.Second, 20*time.Second,
		`{"name": "up", "type": "timeout", "stream": "upstream", "attributes": {"timeout": 0}}`,
		`{"name": "down", "type": "timeout", "stream": "downstream", "attributes": {"timeout": 0}}`)
	r.requireAlive()
	r.requireRecovery(afterLease)
}

// All responses arrive late, and requests in small pieces.
func TestConnectionsSlowUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, withProxies).withInstances()
	r.breakEach(6*time.Second, 12*time.Second,
		`{"name": "late", "type": "latency", "stream": "downstream", "attributes": {"latency": 300, "jitter": 200}}`,
		`{"name": "torn", "type": "slicer", "stream": "upstream", "attributes": {"average_size": 200, "size_variation": 100, "delay": 1000}}`)
	r.requireAlive()
	r.requireRecovery(afterLease)
}

// Connections are reset at their first response, and again after each reconnect.
func TestConnectionsResetUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, withProxies).withInstances()
	r.breakEach(5*time.Second, 10*time.Second, `{"name": "reset", "type": "reset_peer", "stream": "downstream", "attributes": {"timeout": 100}}`)
	r.requireAlive()
	r.requireRecovery(afterLease)
}
