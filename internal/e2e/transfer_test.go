package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A request that is repeated long after its plan reads the volume again: it may have been transferred meanwhile, and its data
// must not become a backup of the former project.
func TestTransferredVolumeIsNotRequestedAgain(t *testing.T) {
	for name, first := range map[string]cloudsim.Effect{
		"refused at first":     cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"600"}}},
		"no response at first": cloudsim.DropBefore{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newEnvironment(t, nil)
			acme, globex := w.Sim.AddProject("acme"), w.Sim.AddProject("globex")
			server, volumes := w.Protect(acme, "web-1", 1)
			w.Sim.AddFault(cloudsim.Fault{Route: "POST /volume/v3/{project}/backups", Times: 1, Do: first})
			w.Plan()
			w.Dispatch()
			require.Equal(t, "creating", w.History(volumes[0]))

			w.Sim.DeleteServer(server)
			w.Sim.TransferVolume(volumes[0], globex)
			heir := w.Sim.AddServer(globex, "web-2", map[string]string{w.Settings.BackupMetadataKey: "true"})
			w.Sim.Attach(heir, volumes[0])
			w.Step(11 * time.Minute)
			w.Dispatch()
			require.Equal(t, "failed:"+string(backup.ProjectChanged), w.History(volumes[0]))
			require.Empty(t, w.Sim.Backups())

			w.Advance(40*time.Minute, time.Minute)
			for _, b := range w.Sim.Backups() {
				require.Equal(t, globex, b.Project)
			}
			require.NotEmpty(t, w.Sim.Backups(), "the new owner has its own")
			w.requireInvariants()
		})
	}
}
