package db

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// The restore points of a volume without secrets are one finding per project. It keeps its first time as long as Cinder has
// the restore points and their secrets are gone.
func TestRestorePointsWithoutSecretAreOneFindingPerVolumeAndProject(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.volume("w", nil)
	h.record("old", point("b1", 48*hour))
	h.record("new", point("b2", 24*hour))
	h.record("whole", point("b3", hour))
	h.record("before", point("b4", 72*hour).with(row{"project_id": "q"}))
	h.record("other", point("b5", hour).with(row{"volume_id": "w"}))
	h.record("failed", point("b6", hour).with(row{"state": "failed", "reason": "backup_error"}))
	record := func(gone, there []string) func() {
		return func() { require.NoError(t, h.run().RecordSecrets(h.ctx, gone, there)) }
	}
	details := func() map[string]string {
		all, err := h.run().WithoutSecret(h.ctx)
		require.NoError(t, err)
		found := map[string]string{}
		for _, f := range all {
			assert.Equal(t, backup.SecretGone, f.Reason)
			assert.Equal(t, f.VolumeID, f.Object)
			found[f.ProjectID+" "+f.VolumeID] = f.Detail
		}
		return found
	}
	assert.Empty(t, details())
	h.changesNothing(record(nil, []string{"b1", "b2", "nobody's"}))
	record([]string{"b1", "b4", "b6", "nobody's"}, nil)()
	h.clock.Set(base.Add(hour))
	record([]string{"b1", "b2"}, nil)()
	ids, err := h.run().SecretsGone(h.ctx)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"b1", "b2", "b4"}, ids, "what never became a restore point is none without secret")
	assert.Equal(t, map[string]string{
		"p v": "2 of 3 restore points of volume disk (v), the newest of 2029-12-31T00:00:00Z; first seen at 2030-01-01T00:00:00Z",
		"q v": "1 of 1 restore points of volume disk (v), the newest of 2029-12-29T00:00:00Z; first seen at 2030-01-01T00:00:00Z",
	}, details())
	record(nil, []string{"b2"})()
	h.exec(`UPDATE records SET state = 'deleted', removal_reason = 'expired' WHERE backup_id = 'b4'`)
	assert.Equal(t, map[string]string{
		"p v": "1 of 3 restore points of volume disk (v), the newest of 2029-12-30T00:00:00Z; first seen at 2030-01-01T00:00:00Z",
	}, details())
	record(nil, []string{"b1"})()
	assert.Empty(t, details())
}
