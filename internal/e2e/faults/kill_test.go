//go:build faults

package faults

import (
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// Leader, workers and api are killed at random moments of their work, and started again.
func TestKilledAtRandomUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	// Makes a handler work longer than the few milliseconds that cloudsim needs.
	r.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Do: cloudsim.StallAfterEffect{For: time.Second}})
	victims := map[string]int{"leader": 0, "worker": 0, "api": 0}
	for range 5 {
		for _, role := range r.shuffled("leader", "worker", "worker", "api") {
			victim := r.instances[4]
			switch role {
			case "leader":
				r.waitFor(time.Minute, "one leads", func() bool { victim, _ = r.leader(); return victim != nil })
			case "worker":
				victim = r.randomInstance("worker")
			}
			r.wait(r.randomTime(200*time.Millisecond, 4*time.Second))
			victim.Kill()
			r.start(victim)
			victims[role]++
		}
	}
	t.Logf("killed: %v; %d leases are left behind", victims, r.leased())
	r.waitFor(time.Minute, "the api responds", func() bool { return r.healthy(r.instances[4]) })
	r.requireRecovery(afterLease)
}

// shuffled puts words into a random order.
func (r *installation) shuffled(words ...string) []string {
	r.chance.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	return words
}

// healthy reports whether an api responds to its health check.
func (r *installation) healthy(api *instance) bool {
	r.T.Helper()
	request, err := http.NewRequestWithContext(r.Ctx, http.MethodGet, "http://"+api.env["STAFFELN_API_LISTEN"]+"/v1/health", http.NoBody)
	require.NoError(r.T, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close() // the body was read completely
	return err == nil && string(body) == "True"
}

// stopTime is how long a graceful stop may take; it is the usual limit with Kubernetes and Docker.
const stopTime = 30 * time.Second

// All processes get SIGTERM in the middle of their work, with some requests that hang in the cloud: they end gracefully and in
// time, without a leased volume or an active task.
func TestGracefulStopUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	slowest := time.Duration(0)
	for range 4 {
		r.waitFor(soon, "work is under way", func() bool { return r.leased() > 0 })
		endFault := r.hangCreations(r.chance.IntN(4))
		r.wait(r.randomTime(0, 2*time.Second))
		began := time.Now()
		for _, m := range r.instances {
			require.NoError(t, m.Cmd.Process.Signal(syscall.SIGTERM))
		}
		for _, m := range r.instances {
			<-m.Done
			require.Zero(t, m.Cmd.ProcessState.ExitCode(), "%s: %s", m.name, m.Log.Tail(2000))
		}
		took := time.Since(began)
		require.Less(t, took, stopTime)
		slowest = max(slowest, took)
		require.Zero(t, r.leased(), "leases that were not released")
		require.Zero(t, r.active(), "active tasks of a worker that has ended")
		endFault()
		for _, m := range r.instances {
			r.start(m)
		}
	}
	t.Logf("the slowest graceful stop took %.1f s", slowest.Seconds())
	r.requireRecovery(soon)
}
