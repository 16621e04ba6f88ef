//go:build faults

package faults

import (
	"errors"

	"github.com/hibiken/asynq"
	"github.com/stretchr/testify/require"

	"staffeln/internal/cloudsim"
	"staffeln/internal/e2e/rig"
)

// leased counts the volumes with a lease, including expired ones.
func (r *installation) leased() (n int) {
	r.T.Helper()
	require.NoError(r.T, r.DB.QueryRow(r.Ctx, `SELECT count(*) FROM volumes WHERE lease_token IS NOT NULL`).Scan(&n))
	return n
}

// active counts the tasks that the queue counts as active.
func (r *installation) active() int {
	r.T.Helper()
	info, err := asynq.NewInspectorFromRedisClient(r.Redis).GetQueueInfo("volumes")
	if errors.Is(err, asynq.ErrQueueNotFound) {
		return 0
	}
	require.NoError(r.T, err)
	return info.Active
}

// hangCreations makes the given number of creations hang after they were executed, until release is called.
func (r *installation) hangCreations(creations int) (release func()) {
	if creations == 0 {
		return func() {}
	}
	return r.Sim.AddFault(cloudsim.Fault{Route: rig.CreateRoute, Times: creations, Do: cloudsim.StallAfterEffect{}})
}
