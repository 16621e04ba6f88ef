package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func page(ids ...string) []backup.Backup {
	var all []backup.Backup
	for _, id := range ids {
		all = append(all, backup.Backup{ID: id, Status: "restoring"})
	}
	return all
}

func TestSeenMarksRecordsAndReturnsUnknownBackups(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("r", point("b1", hour))
	h.record("s", point("b2", hour))
	h.record("making", shapes["creating"].with(row{"backup_id": "b3"}))
	var unknown []string
	lines := h.changes(func() {
		var err error
		unknown, err = h.run().Seen(h.ctx, page("foreign", "b1", "b3"))
		require.NoError(t, err)
	})
	assert.Equal(t, []string{"foreign"}, unknown)
	assert.Equal(t, []string{
		"records making cinder_status: creating -> restoring", "records making last_seen_at: null -> now",
		"records r cinder_status: '' -> restoring", "records r last_seen_at: null -> now",
	}, lines)
	h.changesNothing(func() {
		unknown, err := h.run().Seen(h.ctx, nil)
		require.NoError(t, err)
		assert.Empty(t, unknown)
	})
}

func TestSeenMakesLostRecordsAvailable(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("r", shapes["lost"].with(row{"cinder_status": "restoring", "reason": "removed_by_others"}))
	lines := h.changes(func() {
		_, err := h.run().Seen(h.ctx, page("b"))
		require.NoError(t, err)
	})
	assert.Equal(t, []string{
		"records r changed_at: -1h0m0s -> now", "records r last_seen_at: null -> now",
		"records r reason: removed_by_others -> reappeared", "records r state: lost -> available",
	}, lines)
}

func (h *harness) missing(b *Run) ([]string, int) {
	h.t.Helper()
	missing, available, err := b.Missing(h.ctx, false)
	require.NoError(h.t, err)
	return ids(missing), available
}

func TestMissingReturnsOnlyUnchangedUnseenRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, shape := range shapeNames() {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	h.plan("seen", point("b-seen", hour))
	h.plan("seen before", point("b-before", hour).with(row{"last_seen_at": base.Add(-hour)}))
	h.plan("changed since", point("b-changed", hour).with(row{"changed_at": base}))
	b := h.run()
	_, err := b.Seen(h.ctx, page("b-seen"))
	require.NoError(t, err)
	missing, available := h.missing(b)
	assert.Equal(t, []string{"available", "seen before"}, missing)
	assert.Equal(t, 4, available)
}

func TestMissingReadsOneMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.generate("v", "available", "full", 10)
	missing, available := h.missing(h.run())
	assert.Len(t, missing, 10, "ten are accepted, even if they are all")
	assert.Equal(t, 10, available)
	h.exec("DELETE FROM records")
	h.generate("v", "available", "full", 1550)
	missing, available = h.missing(h.run())
	assert.Len(t, missing, 16, "one more than one in a hundred")
	assert.Equal(t, 1550, available)
}

func TestLoseSkipsChangedRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, shape := range shapeNames() {
		h.plan(shape, shapes[shape].with(unique(shapes[shape], shape)))
	}
	h.plan("changed since", point("b-changed", hour).with(row{"changed_at": base}))
	b := h.run()
	lines := h.changes(func() {
		for _, id := range append(shapeNames(), "changed since", "unheard of") {
			require.NoError(t, b.Lose(h.ctx, id))
		}
	})
	assert.Equal(t, []string{
		"records available changed_at: -1h0m0s -> now", "records available reason: '' -> removed_by_others",
		"records available state: available -> lost",
	}, lines)
}

func TestTwinBackupGetsItsOwnRecord(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	r := h.record("r", shapes["failed"].with(row{"encrypted": true, "retention": "1 mon"}))
	twin := backup.Backup{ID: "twin", Name: "its name", SizeGiB: 12, Incremental: true, Status: backup.StatusAvailable, DataTimestamp: base.Add(-time.Minute)}
	lines := h.changes(func() { require.NoError(t, h.run().Twin(h.ctx, r, twin)) })
	require.Len(t, lines, 1)
	got := h.read(h.text(`SELECT id FROM records WHERE backup_id = 'twin'`))
	now, data := base, base.Add(-time.Minute)
	want := backup.Record{
		ID: got.ID, ProjectID: "p", ProjectName: "one", ServerID: "s", ServerName: "web", VolumeID: "v", VolumeName: "disk", Zone: "az",
		SizeGiB: 12, Encrypted: true, State: backup.Available, Kind: backup.Incremental, Retention: backup.Period{Months: 1},
		PlannedAt: r.PlannedAt, CreatedAt: now, RequestedAt: r.RequestedAt, ChangedAt: now, AvailableAt: &now, EndedAt: &now, BackupID: "twin", BackupName: "its name",
		CinderStatus: "available", DataTimestamp: &data, CinderTimestamp: &data, Reason: backup.TwinBackup,
	}
	assert.Equal(t, want, got)
	h.changesNothing(func() { require.NoError(t, h.run().Twin(h.ctx, r, twin)) })
	missing, _ := h.missing(h.run())
	assert.Empty(t, missing, "it is younger than the reconcile run")
}

// A late request that failed left a leftover, and its removal is due like that of any other.
func TestFailedTwinIsALeftover(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	r := h.record("r", shapes["failed"])
	twin := backup.Backup{ID: "twin", Status: backup.StatusError, FailReason: "no space", CreatedAt: base.Add(-time.Minute)}
	require.NoError(t, h.run().Twin(h.ctx, r, twin))
	got := h.read(h.text(`SELECT id FROM records WHERE backup_id = 'twin'`))
	assert.True(t, got.Leftover())
	assert.Nil(t, got.AvailableAt)
	assert.Equal(t, "no space", got.ReasonText)
}

// A refusal long ago and the next one are not a series.
func TestRefusalsADayApartAreNotASeries(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("available")
	refused := func(r backup.Record) backup.Record {
		r, err := c.StartRemoval(h.ctx, r, backup.RetentionOver)
		require.NoError(t, err)
		r, err = c.RefuseRemoval(h.ctx, r, why, later)
		require.NoError(t, err)
		return r
	}
	first := refused(r)
	assert.Equal(t, *first.DeletionRefusedSince, *refused(first).DeletionRefusedSince, "in a row")
	h.exec(`UPDATE records SET changed_at = changed_at - interval '1 day', deletion_refused_since = deletion_refused_since - interval '1 day'`)
	assert.Equal(t, base, *refused(h.read("r")).DeletionRefusedSince, "a day later it begins anew")
}

// Without a date, a twin would be past every retention.
func TestBackupWithoutDataTimestampUsesCreationTime(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	c, r := h.shaped("creating")
	require.NoError(t, h.run().Twin(h.ctx, r, backup.Backup{ID: "twin", CreatedAt: base.Add(-time.Minute)}))
	assert.Equal(t, base.Add(-time.Minute), *h.read(h.text(`SELECT id FROM records WHERE backup_id = 'twin'`)).DataTimestamp)
	h.changesNothing(func() {
		_, err := c.Finish(h.ctx, r, backup.Backup{ID: "b"}, hour)
		assert.Equal(t, "records_available_has_backup", violated(err), "and one without any date is refused")
	})
	after, err := c.Finish(h.ctx, r, backup.Backup{ID: "b", CreatedAt: base.Add(-hour)}, hour)
	require.NoError(t, err)
	assert.Equal(t, base.Add(-hour), *after.DataTimestamp)
}
