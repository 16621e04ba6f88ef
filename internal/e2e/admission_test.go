package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// A thousand volumes of twenty projects of very different sizes are due at once.
func TestThousandVolumesUnderACap(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.BackupServicePeriod = backup.Duration(6 * time.Hour)
		o.BackupTime = cloudsim.Fixed(25 * time.Second)
	})
	projects := map[string]int{}
	for i, n := 0, 1000; n > 0; i++ {
		some := min(n, 1+i*i)
		p := w.Sim.AddProject(fmt.Sprint("project-", i))
		w.Protect(p, "web", some)
		projects[p], n = some, n-some
	}
	began := w.Clock.Now()
	for w.Count("state = 'available'") < 1000 {
		w.RunDue()
		w.Step(30 * time.Second)
		require.Less(t, w.Clock.Now().Sub(began), 6*time.Hour, "still not drained")
	}
	require.Equal(t, 15, w.maxConcurrent(func(cloudsim.Event) bool { return true }))
	drained := w.Clock.Now().Sub(began)

	// In the order of requests to Cinder: while a project waits, it is at most twice its cap behind the project with the most
	// backups.
	asked, turns := map[string]int{}, w.events(cloudsim.BackupRequested, "")
	for i, e := range turns {
		asked[e.Project]++
		most := 0
		for _, n := range asked {
			most = max(most, n)
		}
		for p, all := range projects {
			if left := all - asked[p]; left > 0 && i > 2*len(projects) {
				require.GreaterOrEqual(t, asked[p]+10, most, "request %d: a project was served %d times, another one %d times", i, asked[p], most)
			}
		}
	}
	t.Logf("1000 volumes of %d projects, 15 at once, 25 s each: drained in %s; the ideal is %s", len(projects), drained, 1000*30*time.Second/15)
	w.requireInvariants()
}

// The backups of three projects hang in Cinder: the other projects are backed up in every interval.
func TestHangingProjectsDoNotDelayOtherProjects(t *testing.T) {
	t.Parallel()
	const hangs = 100
	w := daily(t, fourPlansADay, func(set *backup.Settings, o *cloudsim.Options) {
		set.BackupCycleTimeout = backup.Duration(6 * time.Hour)
		o.BackupTime = func(sizeGiB int) time.Duration {
			if sizeGiB == hangs {
				return 1000 * time.Hour
			}
			return 4 * time.Minute
		}
	})
	dead, alive := []string{}, []string{}
	for i := range 3 {
		p := w.Sim.AddProject(fmt.Sprint("dead-", i))
		server, _ := w.Protect(p, "web", 0)
		for range 10 {
			w.Sim.Attach(server, w.Sim.AddVolume(p, "data", hangs))
		}
		dead = append(dead, p)
	}
	for i := range 4 {
		p := w.Sim.AddProject(fmt.Sprint("alive-", i))
		w.Protect(p, "web", 10)
		alive = append(alive, p)
	}
	w.Advance(5*time.Hour, 5*time.Minute)
	require.Equal(t, 40, w.Count("state = 'available' AND project_id = ANY($1)", alive), "all backups of the other projects, although no slot of the hung projects became free")
	require.LessOrEqual(t, w.maxConcurrent(func(cloudsim.Event) bool { return true }), 15+10)
	require.Equal(t, 5, w.maxConcurrent(func(e cloudsim.Event) bool { return e.Project == dead[0] }), "a hung project uses only its own slots")
	w.requireInvariants()
}

// While no cinder-backup is up, no backup begins and the operator gets one message. Backups continue by themselves when it is
// back.
func TestNoBackupServiceHoldsAdmissionBack(t *testing.T) {
	t.Parallel()
	w := daily(t)
	w.Protect(w.Sim.AddProject("acme"), "web-1", 3)
	w.Sim.SetBackupService(false)
	w.Advance(2*time.Hour, 10*time.Minute)
	require.Empty(t, w.events(cloudsim.BackupRequested, ""))
	require.Equal(t, 3, w.Count("state = 'planned' AND admitted_at IS NULL"))
	require.Equal(t, 1, w.logged("error", "no cinder-backup service is up"))
	w.Sim.SetBackupService(true)
	w.Advance(time.Hour, 10*time.Minute)
	require.Equal(t, 3, w.Count("state = 'available'"))
	require.Equal(t, 1, w.logged("info", `"message":"admission no longer throttled"`))
	w.requireInvariants()
}

// If Cinder throttles or does not respond, only the backups that already wait for Cinder are requested again; others begin when
// these have succeeded.
func TestThrottlingHoldsAdmissionBack(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"throttled": http.StatusTooManyRequests, "away": http.StatusServiceUnavailable} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := daily(t)
			for _, name := range []string{"acme", "globex", "initech"} {
				w.Protect(w.Sim.AddProject(name), "web", 1)
			}
			endFault := w.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Do: cloudsim.Refuse{Status: status, Header: http.Header{"Retry-After": {"60"}}}})
			w.Advance(10*time.Minute, time.Minute)
			_, volumes := w.Protect(w.Sim.AddProject("umbrella"), "web", 3)
			w.Advance(30*time.Minute, time.Minute)
			asked := w.Count("attempts > 0")
			require.GreaterOrEqual(t, asked, 3, "the first backups are still requested")
			require.LessOrEqual(t, asked, 3+3, "one more every ten minutes probes Cinder")
			require.Equal(t, 6, w.Count("state IN ('planned', 'creating')"), "nothing has failed")
			require.Equal(t, 1, w.logged("warn", `"message":"admission throttled"`, `"reason":"`+name+`"`))
			endFault()
			w.Advance(40*time.Minute, time.Minute)
			require.Equal(t, 6, w.Count("state = 'available'"))
			require.Equal(t, "F", w.Kinds(volumes[2]))
			require.Equal(t, 1, w.logged("info", `"message":"admission no longer throttled"`))
			w.requireInvariants()
		})
	}
}

// If all backups fail, one backup at a time is requested, so that not every volume has a failed one.
func TestFailingBackupsHoldAdmissionBack(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(_ *backup.Settings, o *cloudsim.Options) { o.BackupTime = cloudsim.Fixed(time.Second) })
	for i := range 10 {
		w.Protect(w.Sim.AddProject(fmt.Sprint("project-", i)), "web", 10)
	}
	w.Sim.BreakTarget("no space left on device")
	for range 20 {
		w.RunDue()
		w.Step(30 * time.Second)
	}
	failed := w.Count("state IN ('failed', 'deleting', 'deleted') AND reason = 'backup_error'")
	require.Less(t, failed, 15+25, "after the first fifteen, one for each dispatch run")
	require.Greater(t, failed, 15, "it is tried again")
	w.Sim.BreakTarget("")
	w.Advance(7*time.Hour, 10*time.Minute) // until after the next plan
	require.Equal(t, 100, w.Count("state = 'available'"))
	require.True(t, slices.ContainsFunc(w.Logs.Lines(), func(l string) bool { return strings.Contains(l, `"reason":"failing"`) }))
	w.requireInvariants()
}
