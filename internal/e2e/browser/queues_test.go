//go:build browser

package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
	"staffeln/internal/e2e/rig/chromium"
)

// An operator opens the queues page after a dispatch, while no worker takes the tasks.
func TestQueuesPageInBrowser(t *testing.T) {
	t.Parallel()
	h := rig.NewDeployment(t, cloudsim.Options{}, nil)
	volumes := cloudsim.Seed(h.Sim, cloudsim.SeedOptions{Projects: 1, Servers: 3, VolumesPerServer: 1, MetadataKey: "__staffeln_backup"}).Volumes
	rig.Launch(t, h.Env, "scheduler")
	page := rig.ServeQueues(h, len(volumes))

	b := chromium.Start(t, rig.QueuesToken)
	b.Open(page)
	b.Shows(fmt.Sprintf("volumes\trun\t%d\t", len(volumes))) // queue, state and size of the row
	require.Positive(t, b.SignedIn(), "the token was not requested")
	b.Picture("queues")

	b.Click(`a[href^="/queues/queues/volumes"]`)
	b.Shows("Queue name", "Tasks")
	b.Open(page + "/queues/volumes?status=pending")
	b.Shows(fmt.Sprintf("Pending %d", len(volumes)), "volume:backup", fmt.Sprintf("1-%d of %[1]d", len(volumes)))
	for _, volume := range volumes {
		begin, _, _ := strings.Cut(volume, "-")
		b.Shows("volume:"+begin+"\n", `"volume_id": "`+volume+`"`) // asynqmon cuts IDs at the first dash
	}
	b.Picture("queues-volumes")

	b.Open(page + "/queues/volumes/tasks/volume:" + volumes[0])
	b.Shows("volume:"+volumes[0], "volume:backup", "pending")
	b.Picture("queues-task")
	for path, shows := range map[string]string{"/servers": "No servers found", "/schedulers": "No entries found", "/redis": "Redis Info"} {
		b.Open(page + path)
		b.Shows(shows)
	}
	require.Equal(t, len(volumes), rig.Pending(h), "reading the pages changed the queue")
}
