package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// Counts the calls of one plan, and the calls to Cinder per finished backup, where they arrive. Limits (design): full pages of
// 1,000, one empty page after an exactly full one, at most 6 others, none per volume; at most 2 per backup and its share of
// listings.
func TestCallsPerPlanAndPerBackup(t *testing.T) {
	t.Parallel()
	w := newEnvironment(t, func(set *backup.Settings, o *cloudsim.Options) {
		set.BackupMinInterval = backup.Duration(24 * time.Hour)
		set.MaxBackupsInProgress, set.MaxBackupsInProgressPerProject, set.BackupMaxOperations = 600, 100, 0
		o.BackupTime = cloudsim.Fixed(20 * time.Second)
		o.Backups, o.BackupGigabytes = -1, -1
	})
	seeded := cloudsim.Seed(w.Sim, cloudsim.SeedOptions{Projects: 10, Servers: 1000, VolumesPerServer: 3, MetadataKey: w.Settings.BackupMetadataKey})
	require.Len(t, seeded.Volumes, 3000)

	w.Sim.ResetCounts()
	w.Plan()
	plan := w.Sim.Counts()
	t.Logf("calls of one plan for 1,000 servers and 3,000 volumes: %v", plan)
	const servers, volumes = "GET /compute/v2.1/servers/detail", "GET /volume/v3/{project}/volumes/detail"
	require.Equal(t, 2, plan[servers], "1,000 servers fill one page exactly; the second is empty")
	require.Equal(t, 4, plan[volumes], "3,000 volumes fill three pages exactly; the fourth is empty")
	others := sum(plan) - plan[servers] - plan[volumes]
	require.LessOrEqual(t, others, 6, "calls that are no pages")
	require.Equal(t, 3000, w.Count("state = 'planned'"))

	w.Sim.ResetCounts()
	times := 0
	for ; w.Count("state = 'available'") < 3000; times++ {
		require.Less(t, times, 100, "backups do not end: %d are there", w.Count("state = 'available'"))
		w.Dispatch()
		if times == 0 {
			shown := sums(w.Scheduler.Metrics, "staffeln_records", "state")
			require.Equal(t, 3000, shown["planned"]+shown["creating"], "what the metrics show: %v", shown)
		}
		w.Step(w.Settings.PollPeriod.Std())
	}
	calls := w.Sim.Counts()
	creates, polls := calls["POST /volume/v3/{project}/backups"], calls["GET /volume/v3/{project}/backups/{backup}"]
	listings := calls["GET /volume/v3/{project}/backups/detail"]
	services := calls["GET /volume/v3/{project}/os-services"]
	t.Logf("3,000 backups in %d dispatch runs: %d creations, %d reads by ID, %d pages of listings, %d listings of the services, all calls: %v",
		times, creates, polls, listings, services, calls)
	require.Equal(t, 3000, creates)
	require.Equal(t, 3000, polls)
	require.LessOrEqual(t, listings, 2*times, "at most two pages of listing per dispatch run")
	cinder := 0
	for route, n := range calls {
		if strings.Contains(route, "/volume/v3") {
			cinder += n
		}
	}
	require.LessOrEqual(t, services, times, "at most one listing of the services per dispatch run")
	require.Equal(t, creates+polls+listings+services, cinder, "other calls to Cinder: %v", calls)
	require.LessOrEqual(t, calls["POST /identity/v3/auth/tokens"], 10, "one token per project")
}

func sum(counts map[string]int) (total int) {
	for _, n := range slices.Collect(maps.Values(counts)) {
		total += n
	}
	return total
}
