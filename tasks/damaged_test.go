package tasks

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Redis evicts the hash of a task that is still in a list. When the queue reads the task again, it leaves a hash with only a
// state. The volume must get a task anyway.
func TestDispatch_BypassesTaskWhoseHashWasEvicted(t *testing.T) {
	for _, state := range []string{"pending", "active", "retry", "scheduled", "archived", "completed"} {
		t.Run(state, func(t *testing.T) {
			q := newQueue(t)
			client, _ := q.newClient()
			items := []Item{{Kind: VolumeBackup, VolumeID: "v", RecordID: "r"}}
			require.NoError(t, q.rdb.SAdd(t.Context(), "asynq:queues", Volumes).Err())
			require.NoError(t, q.rdb.HSet(t.Context(), "asynq:{volumes}:t:volume:v", "state", state).Err())
			outcomes, err := client.Dispatch(t.Context(), items)
			require.NoError(t, err)
			require.Equal(t, "bypassed 1", outcomes.String())
			outcomes, err = client.Dispatch(t.Context(), items)
			require.NoError(t, err)
			require.Equal(t, "waiting 1", outcomes.String(), "it is passed by once")
		})
	}
}
