package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/cloudsim"
)

// A request that is repeated long after its plan looks at the volume again: meanwhile it may have been given to another
// project, whose data must not become a backup of the project that had it before.
func TestAVolumeThatChangedHandsIsNotAskedForAgain(t *testing.T) {
	for name, first := range map[string]cloudsim.Effect{
		"refused at first":    cloudsim.Refuse{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"600"}}},
		"unanswered at first": cloudsim.DropBefore{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, nil)
			acme, globex := w.sim.AddProject("acme"), w.sim.AddProject("globex")
			server, volumes := w.protect(acme, "web-1", 1)
			w.sim.AddFault(cloudsim.Fault{Route: "POST /volume/v3/{project}/backups", Times: 1, Do: first})
			w.plan()
			w.dispatch()
			require.Equal(t, "creating", w.story(volumes[0]))

			w.sim.DeleteServer(server)
			w.sim.TransferVolume(volumes[0], globex)
			heir := w.sim.AddServer(globex, "web-2", map[string]string{w.set.BackupMetadataKey: "true"})
			w.sim.Attach(heir, volumes[0])
			w.step(11 * time.Minute)
			w.dispatch()
			require.Equal(t, "failed:"+string(backup.ProjectChanged), w.story(volumes[0]))
			require.Empty(t, w.sim.Backups())

			w.run(40*time.Minute, time.Minute)
			for _, b := range w.sim.Backups() {
				require.Equal(t, globex, b.Project)
			}
			require.NotEmpty(t, w.sim.Backups(), "the new owner has its own")
			w.lawful()
		})
	}
}
