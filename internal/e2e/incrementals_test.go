package e2e

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// After two incrementals that Cinder accepted and then failed, a full is made.
func TestFailingIncrementalsBecomeAFull(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, _ *cloudsim.Options) { set.FullBackupDepth = 30 })
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 1)
	w.Advance(time.Hour, time.Minute)
	require.Equal(t, "F", w.Kinds(volumes[0]))
	poisoned := func(r cloudsim.Request) bool { return len(r.Body) > 0 && incrementalBody(r.Body) }
	w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Match: poisoned, Do: cloudsim.FailLater{Reason: "Can't find snapshot from parent"}})
	w.Advance(3*day, 10*time.Minute)
	require.Equal(t, "incremental", string(w.RecordsOf(volumes[0])[1].Kind))
	require.NotZero(t, w.Count("state = 'available' AND kind = 'full' AND forced_full"), "a forced full")
	require.LessOrEqual(t, w.Count("kind = 'incremental' AND reason = 'backup_error'"), 2+2, "two before each full")
	w.requireInvariants()
}

func incrementalBody(body []byte) bool { return bytes.Contains(body, []byte(`"incremental":true`)) }
