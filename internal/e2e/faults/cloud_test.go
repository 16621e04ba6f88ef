//go:build faults

package faults

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// The cloud returns errors or garbage, or no response, for 45 % of all requests of all services.
func TestCloudFailsAtRandomUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	for _, bad := range []cloudsim.Effect{
		cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"2"}}},
		cloudsim.Refuse{Status: http.StatusInternalServerError},
		cloudsim.Refuse{Status: http.StatusServiceUnavailable},
		cloudsim.GarbageBody{},
		cloudsim.HalfBody{},
		cloudsim.DropBefore{},
		cloudsim.DropAfterEffect{},
		cloudsim.Stall{For: 3 * time.Second},
		cloudsim.StallAfterEffect{For: 3 * time.Second},
	} {
		fired, creations := r.events(cloudsim.FaultFired), r.faultsOn(rig.CreateRoute, bad)
		endFault := r.Sim.AddFault(cloudsim.Fault{Match: func(cloudsim.Request) bool { return r.chance.IntN(100) < 45 }, Do: bad})
		r.waitFor(soon, fmt.Sprintf("%T hits requests, creations too", bad), func() bool {
			return r.events(cloudsim.FaultFired) >= fired+20 && r.faultsOn(rig.CreateRoute, bad) > creations
		})
		endFault()
		t.Logf("%T hit %d requests", bad, r.events(cloudsim.FaultFired)-fired)
	}
	r.requireAlive()
	r.requireRecovery(afterLease)
}

// faultsOn counts how often an effect hit the requests of a route.
func (r *installation) faultsOn(route string, effect cloudsim.Effect) (n int) {
	for _, e := range r.Sim.Journal() {
		if e.Kind == cloudsim.FaultFired && e.Detail == fmt.Sprintf("%s: %T", route, effect) {
			n++
		}
	}
	return n
}

// For a minute the cloud does not respond to any request, and executes nothing.
func TestCloudDoesNotRespondUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).withInstances()
	endFault := r.Sim.AddFault(cloudsim.Fault{Do: cloudsim.Stall{}})
	r.wait(outage)
	endFault()
	r.requireAlive()
	r.requireRecovery(afterLease)
}

// delayCreations makes the next six creations time out; the cloud executes them after the given time.
func (r *installation) delayCreations(after time.Duration) {
	r.T.Helper()
	fired := r.events(cloudsim.FaultFired)
	r.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 6, Do: cloudsim.ExecuteLater{After: after}})
	r.waitFor(soon, "six creations are given up", func() bool { return r.events(cloudsim.FaultFired) == fired+6 })
	r.wait(after)
}

// duplicates counts backups whose tag another backup has too.
func (r *installation) duplicates() (n int) {
	of := map[string]int{}
	for _, b := range r.Sim.Backups() {
		record := b.Metadata["staffeln_record"]
		of[record]++
		if of[record] > 1 {
			n++
		}
	}
	return n
}

// Creations are executed two minutes after they timed out and were repeated: the second backup gets its own record, and is
// logged.
func TestCreatedAfterSettleTimeUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, with(map[string]string{"STAFFELN_RETENTION_TIME": "1h"}))
	r.policy.retention = time.Hour // so that none is removed before the check
	r.withInstances()
	r.delayCreations(2 * time.Minute)
	r.requireRecovery(soon)
	duplicates := r.duplicates()
	require.Positive(t, duplicates, "none of them was executed")
	require.Equal(t, duplicates, r.Count(`reason = 'twin_backup' AND state = 'available'`))
	logged := 0
	for _, m := range r.instances {
		logged += m.logged("duplicate backup of one request")
	}
	require.Equal(t, duplicates, logged)
	t.Logf("%d creations were executed two minutes after they were given up; each has its record", duplicates)
}

// Creations are executed late, but before they are given up: each is adopted, and each record has one backup.
func TestCreatedWithinSettleTimeUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, with(map[string]string{"STAFFELN_POST_SETTLE_TIME": "90"})).withInstances()
	r.delayCreations(time.Minute)
	r.requireRecovery(soon)
	require.Zero(t, r.duplicates())
	require.Zero(t, r.Count(`reason = 'twin_backup'`))
}
