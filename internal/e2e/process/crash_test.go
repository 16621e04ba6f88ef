// Package process tests the built program as processes, with a cloudsim.
package process

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// A worker is killed after Cinder accepted the backup and before the record has the backup's ID: there is one backup, and it
// is adopted.
func TestKilledWorkerLeavesOneBackup(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{BackupTime: cloudsim.Fixed(3 * time.Second)}, nil)
	const creation = "POST /volume/v3/{project}/backups"
	// Cinder accepts the request and never responds, so the worker hangs.
	release := h.Sim.AddFault(cloudsim.Fault{Route: creation, Times: 1, Do: cloudsim.StallAfterEffect{}})
	volumes := cloudsim.Seed(h.Sim, cloudsim.SeedOptions{Projects: 1, Servers: 1, VolumesPerServer: 1, MetadataKey: "__staffeln_backup"}).Volumes
	rig.Launch(t, h.Env, "scheduler")
	victim := rig.Launch(t, h.Env, "worker")
	h.Eventually("Cinder has accepted the backup", func() bool { return len(h.Sim.BackupsOf(volumes[0])) == 1 })
	require.Equal(t, 1, h.Count("state = 'creating' AND backup_id IS NULL AND unanswered_request_at IS NOT NULL"), "no response is recorded yet")
	victim.Kill()
	release()

	successor := rig.Launch(t, h.Env, "worker")
	h.Eventually("the backup is recorded", func() bool { return h.Count("state = 'available'") == 1 })
	requireOneBackup(h, volumes)
	require.Contains(t, successor.Log.String(), "backup adopted by its tag")
	t.Logf("one backup %s, adopted; creations sent: %d", h.Sim.BackupsOf(volumes[0])[0].ID, h.Sim.Counts()[creation])
}

// Forty backups with two workers and two schedulers, while Redis is emptied several times: each of the forty backups is made
// exactly once.
func TestRedisEmptiedInTheMiddle(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{BackupTime: cloudsim.Fixed(2 * time.Second)}, map[string]string{
		"STAFFELN_MAX_BACKUPS_IN_PROGRESS": "10", "STAFFELN_MAX_BACKUPS_IN_PROGRESS_PER_PROJECT": "0",
	})
	volumes := cloudsim.Seed(h.Sim, cloudsim.SeedOptions{Projects: 4, Servers: 20, VolumesPerServer: 2, MetadataKey: "__staffeln_backup"}).Volumes
	require.Len(t, volumes, 40)
	for range 2 {
		rig.Launch(t, h.Env, "scheduler")
		rig.Launch(t, h.Env, "worker")
	}
	for _, done := range []int{1, 12, 22} {
		h.Eventually("more backups are available and others in progress", func() bool {
			return h.Count("state = 'available'") >= done && h.Count("state = 'creating'") >= 4
		})
		require.NoError(t, h.Redis.FlushDB(h.Ctx).Err())
		t.Logf("Redis emptied with %d backups available and %d in progress", h.Count("state = 'available'"), h.Count("state = 'creating'"))
	}
	h.Eventually("all backups are available", func() bool { return h.Count("state = 'available'") == 40 })
	requireOneBackup(h, volumes)
}

// requireOneBackup asserts that Cinder created exactly one backup of each volume, and that each has its record.
func requireOneBackup(h *rig.Deployment, volumes []string) {
	h.T.Helper()
	requests := map[string]int{}
	for _, e := range h.Sim.Journal() {
		if e.Kind == cloudsim.BackupRequested {
			requests[e.Volume]++
		}
	}
	for _, v := range volumes {
		require.Equal(h.T, 1, requests[v], "creations that Cinder accepted for volume %s", v)
		backups := h.Sim.BackupsOf(v)
		require.Len(h.T, backups, 1)
		require.Equal(h.T, 1, h.Count("volume_id = $1 AND backup_id = $2 AND state = 'available'", v, backups[0].ID))
	}
	require.Equal(h.T, len(volumes), h.Count("true"), "records")
}
