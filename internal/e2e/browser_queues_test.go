//go:build browser

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

// The page of the queues, as an operator opens it: a scheduler has dispatched, and no worker takes the tasks.
func TestQueuesPageInBrowser(t *testing.T) {
	t.Parallel()
	h := newHouse(t, cloudsim.Options{}, nil)
	volumes := cloudsim.Seed(h.sim, cloudsim.SeedOptions{Projects: 1, Servers: 3, VolumesPerServer: 1, MetadataKey: "__staffeln_backup"}).Volumes
	launch(t, h.env, "scheduler")
	page := servedQueues(h, len(volumes))

	b := newBrowser(t, queuesToken)
	b.open(page)
	b.shows(fmt.Sprintf("volumes\trun\t%d\t", len(volumes))) // the row: queue, state, size
	require.Positive(t, b.signedIn(), "nobody asked for the token")
	b.picture("queues")

	b.click(`a[href^="/queues/queues/volumes"]`)
	b.shows("Queue name", "Tasks")
	b.open(page + "/queues/volumes?status=pending")
	b.shows(fmt.Sprintf("Pending %d", len(volumes)), "volume:backup", fmt.Sprintf("1-%d of %[1]d", len(volumes)))
	for _, volume := range volumes {
		begin, _, _ := strings.Cut(volume, "-")
		b.shows("volume:"+begin+"\n", `"volume_id": "`+volume+`"`) // asynqmon cuts IDs at the first dash
	}
	b.picture("queues-volumes")

	b.open(page + "/queues/volumes/tasks/volume:" + volumes[0])
	b.shows("volume:"+volumes[0], "volume:backup", "pending")
	b.picture("queues-task")
	for path, shows := range map[string]string{"/servers": "No servers found", "/schedulers": "No entries found", "/redis": "Redis Info"} {
		b.open(page + path)
		b.shows(shows)
	}
	require.Equal(t, len(volumes), pending(h), "looking changed the queue")
}
