//go:build faults

package e2e

import (
	"errors"

	"github.com/hibiken/asynq"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
)

// leased counts the volumes with a lease, run out or not.
func (r *rig) leased() (n int) {
	r.t.Helper()
	require.NoError(r.t, r.db.QueryRow(r.ctx, `SELECT count(*) FROM volumes WHERE lease_token IS NOT NULL`).Scan(&n))
	return n
}

// active counts the tasks that the queue believes to be with a worker.
func (r *rig) active() int {
	r.t.Helper()
	info, err := asynq.NewInspectorFromRedisClient(r.rdb).GetQueueInfo("volumes")
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0
	}
	require.NoError(r.t, err)
	return info.Active
}

// hangs lets so many of the next creations be carried out and never answered, until they are let go.
func (r *rig) hangs(creations int) (letGo func()) {
	if creations == 0 {
		return func() {}
	}
	return r.sim.AddFault(cloudsim.Fault{Route: createRoute, Times: creations, Do: cloudsim.StallAfterEffect{}})
}
