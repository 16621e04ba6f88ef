package db

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// plannedRecord returns a record as a plan creates it.
func plannedRecord(volumeID string) backup.Record {
	point := base.Add(-24 * hour)
	return backup.Record{
		ProjectID: "p", ProjectName: "one", ServerID: "s", ServerName: "web", VolumeID: volumeID, VolumeName: "disk", Zone: "az",
		SizeGiB: 10, Encrypted: true, State: backup.Planned, Kind: backup.Incremental, ForcedFull: true,
		Retention: backup.Period{Years: 1, Months: 2, Days: 3, Clock: 4 * hour}, PlannedAt: base.Add(-time.Minute), LastPointAt: &point,
		Reason: backup.ChainContinues, ReasonText: "in full",
	}
}

func TestPlanWritesTheGivenRecord(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	want := plannedRecord("v")
	n, err := h.run().Plan(h.ctx, []backup.Record{want})
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	records, err := h.lease("v").Records(h.ctx)
	require.NoError(t, err)
	require.Len(t, records, 1)
	want.ID, want.CreatedAt, want.ChangedAt = records[0].ID, base, base
	assert.NotEmpty(t, want.ID)
	assert.Equal(t, want, records[0])
}

func TestRunWritesNoTransitionThatTheStateMachineDoesNotAllow(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("a", point("b", hour).with(row{"volume_id": "v"}))
	h.changesNothing(func() {
		for _, from := range []backup.State{backup.Available, ""} {
			const q = `UPDATE records SET state = 'deleted' WHERE id = $1 RETURNING state, reason`
			_, err := h.run().bulk(h.ctx, from, "records changed", q, "a")
			require.ErrorContains(t, err, `to "deleted": the state machine does not allow it`)
		}
	})
	assert.Empty(t, h.transitions())
}

func TestPlanWritesFailedRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	refused := plannedRecord("v")
	refused.State, refused.Reason = backup.Failed, backup.VolumeStatus
	n, err := h.run().Plan(h.ctx, []backup.Record{refused, plannedRecord("v")})
	require.NoError(t, err)
	assert.Equal(t, 2, n, "a record that ended allows one in progress")
	assert.Equal(t, 1, h.count(`SELECT count(*) FROM records WHERE state = 'failed' AND ended_at = $1 AND changed_at = $1`, base))
	assert.Equal(t, 1, h.count(`SELECT count(*) FROM records WHERE state = 'planned' AND ended_at IS NULL`))
}

func TestPlanSkipsVolumesWithARecordInProgress(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, shape := range []string{"planned", "asked", "creating", "overdue"} {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
		h.changesNothing(func() {
			n, err := h.run().Plan(h.ctx, []backup.Record{plannedRecord("v-" + shape)})
			require.NoError(t, err)
			assert.Zero(t, n)
		})
	}
	h.volume("free", nil)
	n, err := h.run().Plan(h.ctx, []backup.Record{plannedRecord("v-planned"), plannedRecord("free"), plannedRecord("free")})
	require.NoError(t, err)
	assert.Equal(t, 1, n, "the free one, once")
}

func TestEmptyPlanWritesNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.changesNothing(func() {
		b := h.run()
		planned, err := b.Plan(h.ctx, nil)
		require.NoError(t, err)
		withdrawn, err := b.WithdrawAll(h.ctx, nil, nil)
		require.NoError(t, err)
		assert.Zero(t, planned+withdrawn)
		require.NoError(t, b.StoreVolumes(h.ctx, nil, nil))
		require.NoError(t, b.RemovalDue(h.ctx, nil))
		fresh, err := b.RecordFindings(h.ctx, nil, true)
		require.NoError(t, err)
		assert.Empty(t, fresh)
	})
}

func TestPlanLargerThanABatchIsWrittenCompletely(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	volumes, records := make([]Volume, 2*batch+1), make([]backup.Record, 2*batch+1)
	for i := range volumes {
		volumes[i] = seen(fmt.Sprint(i))
		records[i] = plannedRecord(fmt.Sprint(i))
	}
	b := h.run()
	require.NoError(t, b.StoreVolumes(h.ctx, volumes, nil))
	n, err := b.Plan(h.ctx, records)
	require.NoError(t, err)
	assert.Equal(t, len(records), n)
	assert.Equal(t, len(records), h.count(`SELECT count(DISTINCT volume_id) FROM records`))
}

func TestWithdrawAllEndsOnlyPlannedRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, shape := range shapeNames() {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	h.plan("too", shapes["planned"])
	all := append(shapeNames(), "too", "unheard of")
	reasons := make([]backup.Reason, len(all))
	for i := range all {
		reasons[i] = backup.NotProtected
	}
	reasons[len(all)-2] = backup.VolumeGone
	n := 0
	lines := h.changes(func() {
		var err error
		n, err = h.run().WithdrawAll(h.ctx, all, reasons)
		require.NoError(t, err)
	})
	assert.Equal(t, 2, n)
	assert.Equal(t, []string{
		"records planned changed_at: -1h0m0s -> now", "records planned ended_at: null -> now",
		"records planned reason: '' -> not_protected", "records planned state: planned -> withdrawn",
		"records too changed_at: -1h0m0s -> now", "records too ended_at: null -> now",
		"records too reason: '' -> volume_gone", "records too state: planned -> withdrawn",
	}, lines)
}

// One odd name in a tenant's project must not prevent the plan of the whole cloud.
func TestTextsThatPostgresRefusesAreReplaced(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	odd := "a\x00b\xffc"
	v, r := seen("v"), plannedRecord("v")
	v.Name, v.ServerName, r.VolumeName, r.ReasonText = odd, odd, odd, odd
	b := h.run()
	require.NoError(t, b.StoreVolumes(h.ctx, []Volume{v}, nil))
	_, err := b.Plan(h.ctx, []backup.Record{r})
	require.NoError(t, err)
	_, err = b.RecordFindings(h.ctx, []backup.Finding{{Reason: backup.BackupMetadataUnreadable, Object: "s", Detail: odd}}, true)
	require.NoError(t, err)
	c := h.lease("v")
	records, err := c.Records(h.ctx)
	require.NoError(t, err)
	_, err = c.Fail(h.ctx, records[0], Why{Reason: backup.Refused, Text: odd})
	require.NoError(t, err)
	known, err := b.Volumes(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, "a\uFFFDb\uFFFDc", known["v"].Name)
	_, ok, err := b.ByID(h.ctx, odd)
	require.NoError(t, err)
	assert.False(t, ok)
	require.NoError(t, b.Twin(h.ctx, records[0], backup.Backup{ID: "b", Name: odd, DataTimestamp: base}))
}
