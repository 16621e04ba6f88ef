package db

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func (h *harness) removedPoints(project string) (all []RemovedPoint) {
	h.t.Helper()
	require.NoError(h.t, h.db.Snapshot(h.ctx, func(l *Snapshot) (err error) { all, err = l.RemovedPoints(h.ctx, project); return err }))
	return all
}

// removedPoint is a removed restore point.
func removedPoint(backupID string, more row) row {
	return point(backupID, 20*day).with(row{
		"state": "deleted", "removal_reason": "expired", "deletion_requested_at": base.Add(-2 * hour), "changed_at": base.Add(-hour), "report_id": "reported",
	}).with(more)
}

func TestRemovalIsReportedOnceAndMakesAReportDue(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.record("expired", removedPoint("b1", nil))
	h.record("stolen", removedPoint("b2", row{"state": "lost", "reason": "removed_by_others", "removal_reason": ""}))
	h.record("leftover", shapes["failed"].with(row{"state": "deleted", "backup_id": "b3", "deletion_requested_at": base, "changed_at": base, "report_id": "reported"}))
	h.record("kept", point("b4", hour).with(row{"report_id": "reported"}))
	unreported, err := h.run().Unreported(h.ctx, rpo(100*day))
	require.NoError(t, err)
	assert.Equal(t, []Unreported{{ProjectID: "p", Result: new(base.Add(-hour))}}, unreported)
	all := h.removedPoints("p")
	require.Len(t, all, 2)
	assert.Empty(t, h.removedPoints("q"))
	assert.ElementsMatch(t, []backup.Reason{backup.RetentionOver, backup.RemovedByOthers}, []backup.Reason{all[0].Reason, all[1].Reason})
	for _, r := range all {
		want := map[string]int{"expired": 2, "stolen": 1}[r.ID]
		assert.Equal(t, want, int(base.Sub(r.RemovedAt).Hours()), r.ID)
		assert.Equal(t, backup.Period{Days: 14}, r.Retention)
	}
	c := h.leaseReports("p")
	require.NoError(t, c.Make(h.ctx, NewReport{ID: "r", CreatedAt: base, Content: []byte(`{}`), Removals: []string{"expired", "stolen"}, Mails: []NewMail{{"a", "<1>"}}}))
	assert.Empty(t, h.removedPoints(""))
	h.changesNothing(func() {
		again := NewReport{ID: "s", CreatedAt: base, Content: []byte(`{}`), Removals: []string{"expired"}}
		require.ErrorIs(t, c.Make(h.ctx, again), ErrStale)
	})
	require.NoError(t, c.GiveUp(h.ctx, Mail{ReportID: "r", Receiver: "a"}, "550"))
	assert.Len(t, h.removedPoints(""), 2, "what nobody received is in the next one")
}

func TestFewVolumesReturnsVolumesWithTooFewRestorePoints(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, id := range []string{"enough", "few", "young", "broken", "unprotected", "ended"} {
		h.volume(id, row{"protected": id != "unprotected" && id != "ended"})
	}
	add := func(volume, id string, more row) {
		h.record(id, point("b-"+id, 20*day).with(row{"volume_id": volume}).with(more))
	}
	stolen := row{"state": "lost", "reason": "removed_by_others"}
	for _, volume := range []string{"enough", "few", "broken", "unprotected", "ended"} {
		add(volume, volume+"1", row{"data_timestamp": base.Add(-9 * day)})
		add(volume, volume+"2", row{"data_timestamp": base.Add(-8 * day), "kind": "incremental"})
	}
	add("young", "young1", nil)
	for _, id := range []string{"few2", "broken1", "unprotected1", "ended1", "ended2"} {
		h.exec(`UPDATE records SET state = $2, reason = $3 WHERE id = $1`, id, stolen["state"], stolen["reason"])
	}
	h.replaceProtectionEnd("ended", "p", nil)
	var all []FewVolume
	require.NoError(t, h.db.Snapshot(h.ctx, func(l *Snapshot) (err error) { all, err = l.FewVolumes(h.ctx, "p", 2); return err }))
	points := map[string]int{}
	for _, v := range all {
		points[v.VolumeID] = v.Points
		assert.Equal(t, []any{2, "disk", "web", "one"}, []any{v.Ever, v.VolumeName, v.ServerName, v.ProjectName})
		assert.Equal(t, v.VolumeID == "ended", v.EndedAt != nil)
	}
	assert.Equal(t, map[string]int{"few": 1, "broken": 0, "ended": 0}, points, "without its full no incremental can be restored")
	require.NoError(t, h.db.Snapshot(h.ctx, func(l *Snapshot) (err error) { all, err = l.FewVolumes(h.ctx, "", 0); return err }))
	assert.Empty(t, all, "nothing is promised")
}

func TestNoReceiverFindingIsNewOnceAndDeleted(t *testing.T) {
	t.Parallel()
	h := newReportHarness(t)
	c := h.leaseReports("p")
	for n := range 3 {
		fresh, err := c.NoReceiver(h.ctx, "nobody", base.Add(day))
		require.NoError(t, err)
		assert.Equal(t, n == 0, fresh)
	}
	state, err := c.State(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, []any{base.Add(day), 0}, []any{state.NextTryAt.UTC(), state.Failures})
	found := `SELECT count(*) FROM findings WHERE reason = 'no_receiver' AND object = 'p' AND project_id = ''`
	assert.Equal(t, 1, h.count(found))
	name, err := c.ProjectName(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, "one", name)
	require.NoError(t, h.run().ForgetReports(h.ctx, nil))
	assert.Equal(t, 1, h.count(found), "it still waits")
	require.NoError(t, c.Make(h.ctx, NewReport{ID: "r", CreatedAt: base, Content: []byte(`{}`)}))
	assert.Zero(t, h.count(found))
	_, err = c.NoReceiver(h.ctx, "nobody", base.Add(day))
	require.NoError(t, err)
	h.clock.Step(2*day + 1)
	require.NoError(t, h.run().ForgetReports(h.ctx, nil))
	assert.Zero(t, h.count(found), "no receiver is searched for any more")
}
