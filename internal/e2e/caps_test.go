package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// maxConcurrent returns how many backups existed in creation at the same time at most, among the given events.
func (w *environment) maxConcurrent(counts func(cloudsim.Event) bool) (most int) {
	making := map[string]bool{}
	for _, e := range w.Sim.Journal() {
		switch e.Kind {
		case cloudsim.BackupRequested:
			if counts(e) {
				making[e.Backup] = true
			}
		case cloudsim.BackupAvailable, cloudsim.BackupFailed:
			delete(making, e.Backup)
		}
		most = max(most, len(making))
	}
	return most
}

// Forty volumes are due at once: Cinder never makes more backups at once than the caps allow, all slots are used, and the
// projects take turns.
func TestConcurrentBackupsObserveTheCaps(t *testing.T) {
	t.Parallel()
	w := daily(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject = 5, 3
		set.BackupServicePeriod = backup.Duration(6 * time.Hour)
		o.BackupTime = cloudsim.Fixed(90 * time.Second)
	})
	large, small := w.Sim.AddProject("large"), w.Sim.AddProject("small")
	w.Protect(large, "web-1", 35)
	w.Protect(small, "web-2", 5)
	w.Advance(2*time.Hour, time.Minute)
	require.Equal(t, 40, w.Count("state = 'available'"))
	require.Equal(t, 5, w.maxConcurrent(func(cloudsim.Event) bool { return true }))
	require.Equal(t, 3, w.maxConcurrent(func(e cloudsim.Event) bool { return e.Project == large }))
	turns := 0
	for _, e := range w.events(cloudsim.BackupRequested, "")[:10] {
		if e.Project == small {
			turns++
		}
	}
	require.GreaterOrEqual(t, turns, 4, "the small project does not wait behind the large one")
	w.requireInvariants()
}

// After an outage that broke many chains, the cap of forced fulls spreads the full backups.
func TestForcedFullsHaveTheirOwnCap(t *testing.T) {
	t.Parallel()
	w := daily(t, fourPlansADay, func(set *backup.Settings, o *cloudsim.Options) {
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject, set.MaxForcedFulls = 0, 0, 2
		o.BackupTime = cloudsim.Fixed(90 * time.Second)
	})
	_, volumes := w.Protect(w.Sim.AddProject("acme"), "web-1", 12)
	w.Advance(30*time.Minute, 5*time.Minute)
	require.Equal(t, 12, w.Count("state = 'available'"))
	for _, v := range volumes[:8] {
		w.Sim.Extend(v, 2)
	}
	w.Step(day - 30*time.Minute)
	before := len(w.Sim.Journal())
	w.Advance(time.Hour, time.Minute)
	require.Equal(t, 24, w.Count("state = 'available'"))
	require.Equal(t, 2, w.maxConcurrent(func(e cloudsim.Event) bool { return e.Seq > before && e.Detail == "full" }))
	require.Equal(t, 6, w.maxConcurrent(func(e cloudsim.Event) bool { return e.Seq > before }), "the incrementals do not wait for them")
	w.requireInvariants()
}
