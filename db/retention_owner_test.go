package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// A plan that sees a volume in another project stores, for the old owner's restore points, the retention that was in force if
// it is longer.
func TestRetentionOfTransferredVolumeKeepsOldOwnersRetention(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"retention": "20 days"})
	h.record("short", point("b1", 3*day).with(row{"retention": "1 day"}))
	h.record("long", point("b2", 2*day).with(row{"retention": "30 days"}))
	h.record("gone", shapes["deleted"].with(row{"retention": "1 day"}))
	v := h.volumes()["v"]
	b := h.run()
	require.NoError(t, b.StoreVolumes(h.ctx, []Volume{v}, nil))
	assert.Equal(t, backup.Period{Days: 1}, h.read("short").Retention, "it is where it was")

	v.ProjectID, v.TransferredAt, v.Retention = "q", &b.Now, backup.Retention{Owner: "q", InForce: backup.Period{Days: 1}, Source: backup.FromMetadata}
	require.NoError(t, b.StoreVolumes(h.ctx, []Volume{v}, nil))
	assert.Equal(t, backup.Period{Days: 20}, h.read("short").Retention)
	assert.Equal(t, backup.Period{Days: 30}, h.read("long").Retention)
	assert.Equal(t, backup.Period{Days: 1}, h.read("gone").Retention)
	h.clock.Step(10 * day)
	assert.Empty(t, h.aged(), "the new owner's day is not theirs")
	h.clock.Step(8 * day)
	volumes := h.agedVolumes()
	require.Len(t, volumes, 1)
	for _, r := range volumes[0].Links {
		assert.Equal(t, r.Retention, volumes[0].Retention.For(r))
	}

	back := h.volumes()["v"]
	now := base.Add(18 * day)
	back.ProjectID, back.TransferredAt, back.Retention = "p", &now, backup.Retention{Owner: "p", InForce: backup.Period{Days: 1}, Source: backup.FromMetadata}
	require.NoError(t, h.run().StoreVolumes(h.ctx, []Volume{back}, nil))
	assert.Equal(t, backup.Period{Days: 30}, h.volumes()["v"].Retention.For(h.read("long")), "back again, what was made before keeps its own")
	assert.Equal(t, []string{"v"}, h.aged(), "the other is past its 20 days")
}

// The volumes that retention reads include the ends of protection by project.
func TestVolumesReadForRetentionHaveEndsOfProtection(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"protected": false, "retention": "1 day"})
	h.record("r", point("b", 2*day))
	h.insertProtectionEnd("v", "p", base.Add(-hour), "detached")
	h.insertProtectionEnd("v", "q", base.Add(-2*hour), "transferred")
	want := map[string]time.Time{"p": base.Add(-hour), "q": base.Add(-2 * hour)}
	assert.Equal(t, want, h.agedVolumes()[0].Ends)
	v, err := h.lease("v").Volume(h.ctx)
	require.NoError(t, err)
	assert.Equal(t, want, v.Ends)
}

func (h *harness) insertProtectionEnd(volume, project string, at time.Time, reason string) {
	h.t.Helper()
	require.NoError(h.t, h.insert("protection_ends", row{
		"volume_id": volume, "project_id": project, "ended_at": at, "reason": reason, "server_id": "s", "server_name": "web",
	}))
}

func (h *harness) details() map[string]string {
	h.t.Helper()
	details := map[string]string{}
	require.NoError(h.t, h.db.Snapshot(h.ctx, func(l *Snapshot) error {
		all, err := l.Findings(h.ctx)
		for _, f := range all {
			details[string(f.Reason)+" "+f.Object+" "+f.ProjectID] = f.Detail
		}
		return err
	}))
	return details
}

// The finding, with the date of the last expiry, is kept until no restore point is left or the protection is back. Only
// changes are written.
func TestEndedProtectionIsAFindingWhileRestorePointsAreLeft(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"protected": false, "retention": "3 days"})
	h.volume("empty", row{"protected": false, "retention": "3 days"})
	h.record("old", point("b1", 2*day))
	h.record("new", point("b2", day))
	h.record("others", point("b3", day).with(row{"project_id": "q", "retention": "10 days"}))
	h.insertProtectionEnd("v", "p", base, "metadata")
	h.insertProtectionEnd("v", "q", base, "transferred")
	h.insertProtectionEnd("empty", "p", base, "metadata")
	found := func(grace time.Duration, floor int, all bool) (fresh []backup.Finding) {
		fresh, err := h.run().RecordEndedProtection(h.ctx, grace, floor, all)
		require.NoError(t, err)
		return fresh
	}
	fresh := found(7*day, 1, false)
	assert.Len(t, fresh, 2, "none of the volume without a restore point")
	assert.Equal(t, map[string]string{
		"protection_ended v p": "The server's metadata no longer asks for backups. Server: web. The last restore point is removed on 2030-01-08 00:00 UTC unless the volume is protected again.",
		"protection_ended v q": "The volume was transferred to another project. Server: web. The last restore point is removed on 2030-01-10 00:00 UTC unless the volume is protected again.",
	}, h.details())
	h.clock.Step(hour)
	h.changesNothing(func() { assert.Empty(t, found(7*day, 1, false)) })
	h.changesNothing(func() { assert.Empty(t, found(7*day, 1, true)) })
	assert.Empty(t, found(7*day, 0, true))
	assert.Contains(t, h.details()["protection_ended v p"], "2030-01-03 00:00 UTC", "without a floor the grace is nobody's")
	h.exec(`DELETE FROM protection_ends WHERE project_id = 'q'`)
	found(7*day, 1, false)
	assert.NotContains(t, h.details(), "protection_ended v q", "protection is back")
	h.exec(`UPDATE records SET state = 'lost' WHERE project_id = 'p'`)
	found(7*day, 1, true)
	assert.Empty(t, h.details(), "nothing is left")
}

// Cinder's timestamp is used if it is within the bounds of our own times. Otherwise ours is used, and a finding exists until
// there was no wrong timestamp for a day.
func TestCinderTimestampsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	finish := func(asked, data time.Time) backup.Record {
		h.exec(`DELETE FROM records`)
		c, r := h.lease("v"), h.record("r", shapes["creating"].with(row{"requested_at": asked, "last_requested_at": base.Add(-hour / 2)}))
		r, err := c.Finish(h.ctx, r, backup.Backup{ID: r.BackupID, DataTimestamp: data}, hour)
		require.NoError(t, err)
		require.NoError(t, c.CinderClock(h.ctx, r))
		assert.Equal(t, data, *r.CinderTimestamp)
		h.exec(`UPDATE volumes SET lease_until = NULL, lease_token = NULL`)
		return r
	}
	asked := base.Add(-hour)
	for _, data := range []time.Time{asked.Add(-15 * time.Minute), asked, base, base.Add(15 * time.Minute)} {
		assert.Equal(t, data, *finish(asked, data).DataTimestamp)
		assert.Empty(t, h.details())
	}
	for _, data := range []time.Time{asked.Add(-15*time.Minute - time.Second), base.Add(15*time.Minute + time.Second), base.AddDate(0, 0, 400), base.AddDate(0, 0, -60)} {
		assert.Equal(t, base.Add(-hour/2), *finish(asked, data).DataTimestamp, "the request that may have made it, and not the first one, which Cinder refused")
		assert.Len(t, h.details(), 1)
	}
	finish(asked, asked)
	assert.Len(t, h.details(), 1, "another machine of Cinder's, maybe")
	h.clock.Step(25 * hour)
	finish(base.Add(24*hour), base.Add(24*hour))
	assert.Empty(t, h.details(), "none was wrong for a day")
}
