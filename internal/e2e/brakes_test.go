package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

// Three volumes that Cinder can't take: all others are backed up in the first hour, those of the same project too.
func TestPoisonedVolumesHoldNobodyElseBack(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int{"of other projects": 4, "of the same project": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t)
			acme := w.sim.AddProject("acme")
			_, poisoned := w.protect(acme, "web", 3)
			w.sim.AddFault(cloudsim.Fault{
				Route: createRoute, Do: cloudsim.Refuse{Status: http.StatusInternalServerError},
				Match: func(r cloudsim.Request) bool { return slices.Contains(poisoned, r.Volume) },
			})
			w.plan()
			w.run(5*time.Minute, time.Minute) // they are the only ones so far
			if others == 0 {
				w.protect(acme, "app", 20)
			}
			for i := range others {
				w.protect(w.sim.AddProject(fmt.Sprint("project-", i)), "web", 10)
			}
			w.plan()
			w.run(time.Hour, time.Minute)
			require.Equal(t, max(20, 10*others), w.count("state = 'available'"))
			w.lawful()
		})
	}
}

// A project is told to wait for a week: it alone waits, no longer than an hour, and the deadline holds.
func TestThrottledProjectWaitsAlone(t *testing.T) {
	t.Parallel()
	w := daily(t)
	acme := w.sim.AddProject("acme")
	w.protect(acme, "web", 3)
	mend := w.sim.AddFault(cloudsim.Fault{Route: createRoute, Project: acme, Do: cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"604800"}}}})
	w.run(5*time.Minute, time.Minute)
	for i := range 4 {
		w.protect(w.sim.AddProject(fmt.Sprint("project-", i)), "web", 10)
	}
	w.plan()
	w.run(time.Hour, time.Minute)
	require.Equal(t, 40, w.count("state = 'available'"))
	require.Zero(t, w.count("project_id = $1 AND next_try_at > $2", acme, w.clock.Now().Add(time.Hour)))
	w.run(6*time.Hour, 5*time.Minute)
	require.Equal(t, 3, w.count("project_id = $1 AND state = 'failed' AND reason = 'throttled'", acme), "the deadline goes before the wait")
	mend()
	w.run(25*time.Hour, 30*time.Minute)
	require.NotZero(t, w.count("project_id = $1 AND state = 'available'", acme), "it recovers by itself")
	w.lawful()
}
