package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

// A worker is killed after Cinder accepted the backup and before the record
// knew: there is one backup, and it is adopted.
func TestKilledWorkerLeavesOneBackup(t *testing.T) {
	t.Parallel()
	h := newHouse(t, cloudsim.Options{BackupTime: cloudsim.Fixed(3 * time.Second)}, nil)
	const creation = "POST /volume/v3/{project}/backups"
	// Cinder accepts, and the answer never comes: the worker hangs in its call.
	letGo := h.sim.AddFault(cloudsim.Fault{Route: creation, Times: 1, Do: cloudsim.StallAfterEffect{}})
	volumes := cloudsim.Seed(h.sim, cloudsim.SeedOptions{Projects: 1, Servers: 1, VolumesPerServer: 1, MetadataKey: "__staffeln_backup"}).Volumes
	launch(t, h.env, "scheduler")
	victim := launch(t, h.env, "worker")
	h.eventually("Cinder has accepted the backup", func() bool { return len(h.sim.BackupsOf(volumes[0])) == 1 })
	require.Equal(t, 1, h.count("state = 'creating' AND backup_id IS NULL AND unanswered_request_at IS NOT NULL"), "the record knows no answer yet")
	victim.kill()
	letGo()

	successor := launch(t, h.env, "worker")
	h.eventually("the backup is recorded", func() bool { return h.count("state = 'available'") == 1 })
	h.once(volumes)
	require.Contains(t, successor.log.String(), "backup adopted by its tag")
	t.Logf("one backup %s, adopted; creations sent: %d", h.sim.BackupsOf(volumes[0])[0].ID, h.sim.Counts()[creation])
}

// Forty backups, two workers, two schedulers, and Redis emptied in the middle,
// several times: forty backups, none twice, none lost.
func TestRedisEmptiedInTheMiddle(t *testing.T) {
	t.Parallel()
	h := newHouse(t, cloudsim.Options{BackupTime: cloudsim.Fixed(2 * time.Second)}, map[string]string{
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS": "10", "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_PROJECT": "0",
	})
	volumes := cloudsim.Seed(h.sim, cloudsim.SeedOptions{Projects: 4, Servers: 20, VolumesPerServer: 2, MetadataKey: "__staffeln_backup"}).Volumes
	require.Len(t, volumes, 40)
	for range 2 {
		launch(t, h.env, "scheduler")
		launch(t, h.env, "worker")
	}
	for _, done := range []int{1, 12, 22} {
		h.eventually("more backups are there and others in progress", func() bool {
			return h.count("state = 'available'") >= done && h.count("state = 'creating'") >= 4
		})
		require.NoError(t, h.rdb.FlushDB(h.ctx).Err())
		t.Logf("Redis emptied with %d backups available and %d in progress", h.count("state = 'available'"), h.count("state = 'creating'"))
	}
	h.eventually("all backups are there", func() bool { return h.count("state = 'available'") == 40 })
	h.once(volumes)
}
