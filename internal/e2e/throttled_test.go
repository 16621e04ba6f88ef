package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// Three volumes cannot be backed up: all others are backed up in the first hour, including those of the same project.
func TestFailingVolumesDoNotDelayOtherVolumes(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int{"of other projects": 4, "of the same project": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t)
			acme := w.Sim.AddProject("acme")
			_, poisoned := w.Protect(acme, "web", 3)
			w.Sim.AddFault(cloudsim.Fault{
				Route: rig.CreateRoute, Do: cloudsim.Refuse{Status: http.StatusInternalServerError},
				Match: func(r cloudsim.Request) bool { return slices.Contains(poisoned, r.Volume) },
			})
			w.Plan()
			w.Advance(5*time.Minute, time.Minute) // so that they are the first ones
			if others == 0 {
				w.Protect(acme, "app", 20)
			}
			for i := range others {
				w.Protect(w.Sim.AddProject(fmt.Sprint("project-", i)), "web", 10)
			}
			w.Plan()
			w.Advance(time.Hour, time.Minute)
			require.Equal(t, max(20, 10*others), w.Count("state = 'available'"))
			w.requireInvariants()
		})
	}
}

// Cinder asks one project to wait for a week: only this project waits, for at most an hour, and its deadline does not change.
func TestThrottledProjectDelaysNoOtherProject(t *testing.T) {
	t.Parallel()
	w := daily(t)
	acme := w.Sim.AddProject("acme")
	w.Protect(acme, "web", 3)
	endFault := w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Project: acme, Do: cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"604800"}}}})
	w.Advance(5*time.Minute, time.Minute)
	for i := range 4 {
		w.Protect(w.Sim.AddProject(fmt.Sprint("project-", i)), "web", 10)
	}
	w.Plan()
	w.Advance(time.Hour, time.Minute)
	require.Equal(t, 40, w.Count("state = 'available'"))
	require.Zero(t, w.Count("project_id = $1 AND next_try_at > $2", acme, w.Clock.Now().Add(time.Hour)))
	w.Advance(6*time.Hour, 5*time.Minute)
	require.Equal(t, 3, w.Count("project_id = $1 AND state = 'failed' AND reason = 'throttled'", acme), "the deadline ends the wait")
	endFault()
	w.Advance(25*time.Hour, 30*time.Minute)
	require.NotZero(t, w.Count("project_id = $1 AND state = 'available'", acme), "it recovers by itself")
	w.requireInvariants()
}
