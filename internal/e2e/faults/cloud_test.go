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

// The cloud answers 45 % of all requests of all services with errors, with garbage, or not at all.
func TestCloudAnswersBadlyUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).crewed()
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
		struck, creations := r.happened(cloudsim.FaultFired), r.struck(rig.CreateRoute, bad)
		mend := r.Sim.AddFault(cloudsim.Fault{Match: func(cloudsim.Request) bool { return r.chance.IntN(100) < 45 }, Do: bad})
		r.within(soon, fmt.Sprintf("%T strikes, creations too", bad), func() bool {
			return r.happened(cloudsim.FaultFired) >= struck+20 && r.struck(rig.CreateRoute, bad) > creations
		})
		mend()
		t.Logf("%T struck %d requests", bad, r.happened(cloudsim.FaultFired)-struck)
	}
	r.alive()
	r.recovers(afterLease)
}

// faultsOn counts how often an effect hit the requests of a route.
func (r *installation) struck(route string, effect cloudsim.Effect) (n int) {
	for _, e := range r.Sim.Journal() {
		if e.Kind == cloudsim.FaultFired && e.Detail == fmt.Sprintf("%s: %T", route, effect) {
			n++
		}
	}
	return n
}

// For a minute the cloud answers no request and executes nothing.
func TestCloudSilentUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).crewed()
	mend := r.Sim.AddFault(cloudsim.Fault{Do: cloudsim.Stall{}})
	r.lasts(away)
	mend()
	r.alive()
	r.recovers(afterLease)
}

// delayCreations makes the next six creations time out; the cloud executes them after the given time.
func (r *installation) late(after time.Duration) {
	r.T.Helper()
	struck := r.happened(cloudsim.FaultFired)
	r.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 6, Do: cloudsim.ExecuteLater{After: after}})
	r.within(soon, "six creations are given up", func() bool { return r.happened(cloudsim.FaultFired) == struck+6 })
	r.lasts(after)
}

// duplicates counts backups whose tag another backup has too.
func (r *installation) twins() (n int) {
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
func TestCreatedLongAfterUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, with(map[string]string{"STAFFELN_RETENTION_TIME": "1h"}))
	r.policy.retention = time.Hour // so that none is removed before the check
	r.crewed()
	r.late(2 * time.Minute)
	r.recovers(soon)
	twins := r.twins()
	require.Positive(t, twins, "none of them was carried out")
	require.Equal(t, twins, r.Count(`reason = 'twin_backup' AND state = 'available'`))
	told := 0
	for _, m := range r.crew {
		told += m.logged("duplicate backup of one request")
	}
	require.Equal(t, twins, told)
	t.Logf("%d creations were carried out two minutes after they were given up; each has its record", twins)
}

// Creations are executed late, but before they are given up: each is adopted, and each record has one backup.
func TestCreatedLateUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, with(map[string]string{"STAFFELN_POST_SETTLE_TIME": "90"})).crewed()
	r.late(time.Minute)
	r.recovers(soon)
	require.Zero(t, r.twins())
	require.Zero(t, r.Count(`reason = 'twin_backup'`))
}
