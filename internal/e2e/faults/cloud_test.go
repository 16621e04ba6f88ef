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

// The cloud answers nearly half of all requests, to whatever service, with refusals, with rubbish, or not at all.
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

// struck counts the requests of a route that an effect has struck.
func (r *installation) struck(route string, effect cloudsim.Effect) (n int) {
	for _, e := range r.Sim.Journal() {
		if e.Kind == cloudsim.FaultFired && e.Detail == fmt.Sprintf("%s: %T", route, effect) {
			n++
		}
	}
	return n
}

// For a while no request of any service is answered, and nothing is executed.
func TestCloudSilentUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).crewed()
	mend := r.Sim.AddFault(cloudsim.Fault{Do: cloudsim.Stall{}})
	r.lasts(away)
	mend()
	r.alive()
	r.recovers(afterLease)
}

// late asks for creations that are not answered, and carried out only after a time.
func (r *installation) late(after time.Duration) {
	r.T.Helper()
	struck := r.happened(cloudsim.FaultFired)
	r.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: 6, Do: cloudsim.ExecuteLater{After: after}})
	r.within(soon, "six creations are given up", func() bool { return r.happened(cloudsim.FaultFired) == struck+6 })
	r.lasts(after)
}

// twins counts backups whose tag another one has too.
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

// Creations are carried out two minutes after they were given up and asked for again: what came of them gets a record of
// its own, and is told.
func TestCreatedLongAfterUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, with(map[string]string{"STAFFELN_RETENTION_TIME": "1h"}))
	r.policy.retention = time.Hour // so that none is removed before it is looked at
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

// Creations are carried out late, and before they are given up: each is adopted, and there is one backup of each.
func TestCreatedLateUnderFaults(t *testing.T) {
	t.Parallel()
	r := newInstallation(t, with(map[string]string{"STAFFELN_POST_SETTLE_TIME": "90"})).crewed()
	r.late(time.Minute)
	r.recovers(soon)
	require.Zero(t, r.twins())
	require.Zero(t, r.Count(`reason = 'twin_backup'`))
}
