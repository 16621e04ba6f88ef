package db

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Of a volume's 1,500 restore points, a plan, a list and a page read only the ones they need, regardless of the number of rows
// that Postgres estimates. This includes the search for backups with a wrong Cinder timestamp when there are none.
func TestLongHistoryIsReadThroughIndexes(t *testing.T) {
	t.Parallel()
	h := newSingleConnHarness(t, 20)
	h.exec(`DELETE FROM records`)
	h.exec(`
		INSERT INTO records (project_id, project_name, server_id, server_name, volume_id, volume_name, availability_zone, size_gib, encrypted, state, kind, retention,
			planned_at, changed_at, backup_id, backup_name, cinder_status, requested_at, deadline, data_timestamp, cinder_timestamp, available_at, ended_at)
		SELECT v.project_id, v.project_name, 's', 'web', v.id, v.name, 'az', 10, false, 'available', CASE WHEN n % 3 = 0 THEN 'full' ELSE 'incremental' END, '366 days',
			at, at, gen_random_uuid()::text, 'web_disk', 'available', at, at, at, at, at, at
		FROM volumes v, generate_series(1, 1500) AS n, LATERAL (SELECT now() - (1501 - n) * interval '1 hour' AS at) t`)
	h.exec(`VACUUM ANALYZE records`)
	var extents []Extent // counted with an index
	h.inSnapshot(func(l *Snapshot) {
		var err error
		extents, err = l.Extents(h.ctx, someVolume, "")
		require.NoError(t, err)
		require.Equal(t, 1500, extents[0].Links)
	})
	for name, read := range map[string]func(l *Snapshot){
		"what a plan needs": func(l *Snapshot) {
			_, err := l.Decisive(h.ctx, someVolume)
			require.NoError(t, err)
		},
		"a list": func(l *Snapshot) {
			shown, err := l.Backups(h.ctx, Filter{VolumeID: someVolume, Limit: 5})
			require.NoError(t, err)
			require.Len(t, shown, 5)
			_, err = l.HeldAround(h.ctx, shown, 1)
			require.NoError(t, err)
		},
		"a page": func(l *Snapshot) {
			held, _, err := l.HeldWithin(h.ctx, someVolume, extents, Span{Newest: 5, Oldest: 20, Floor: 1})
			require.NoError(t, err)
			require.Less(t, len(held), 40)
		},
	} {
		scans, before := h.scans(), h.reads()
		h.inSnapshot(read)
		assert.Equal(t, scans, h.scans(), "%s reads all records", name)
		assert.Less(t, h.reads()-before, 200, "%s reads much", name)
	}
}
