package process

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// Operator commands beside a running scheduler and worker: a pause prevents all backups, resume ends it, backup-now makes a
// backup, and audit lists all of that.
func TestOperatorCommandsBesideRunningProcesses(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{BackupTime: cloudsim.Fixed(time.Second)}, nil)
	run := func(args ...string) string {
		t.Helper()
		out, code := rig.Output(t, h.Env, args...)
		require.Zero(t, code, out)
		return strings.Join(strings.Fields(out), " ")
	}
	rig.Launch(t, h.Env, "scheduler")
	rig.Launch(t, h.Env, "worker")
	require.Contains(t, run("pause", "--why", "before anything runs"), "Paused: all projects")
	volumes := cloudsim.Seed(h.Sim, cloudsim.SeedOptions{Projects: 1, Servers: 2, VolumesPerServer: 2, MetadataKey: "__staffeln_backup"}).Volumes
	require.Len(t, volumes, 4)
	known := func() (n int) {
		require.NoError(t, h.DB.QueryRow(h.Ctx, `SELECT count(*) FROM volumes WHERE reason = 'paused'`).Scan(&n))
		return n
	}
	h.Eventually("plans see the volumes, and begin nothing", func() bool { return known() == 4 })
	require.Zero(t, h.Count("true"))
	require.Empty(t, h.Sim.Backups())

	require.Contains(t, run("resume"), "Resumed: all projects.")
	h.Eventually("all volumes are backed up", func() bool { return h.Count("state = 'available'") == 4 })
	require.Contains(t, run("backup-now", volumes[0]), "an incremental backup.")
	h.Eventually("the manual backup is available", func() bool { return h.Count("state = 'available' AND manual") == 1 })
	require.Len(t, h.Sim.BackupsOf(volumes[0]), 2)
	require.Equal(t, 5, h.Count("true"))

	text := run("audit")
	last := -1
	for _, action := range []string{"backup-now by", "resume by", "pause by"} { // newest first
		at := strings.Index(text, action)
		require.Greater(t, at, last, "%s: %s", action, text)
		last = at
	}
	require.NotContains(t, text, "no outcome")
}
