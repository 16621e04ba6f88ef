package db

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"staffeln/backup"
	"staffeln/internal/testkit"
)

// inSnapshot calls read with a snapshot.
func (h *harness) inSnapshot(read func(*Snapshot)) {
	h.t.Helper()
	require.NoError(h.t, h.db.Snapshot(h.ctx, func(l *Snapshot) error { read(l); return nil }))
}

func TestSnapshotIsConsistentAndReadOnly(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.inSnapshot(func(l *Snapshot) {
		require.Equal(t, base, l.Now)
		require.Same(t, time.UTC, l.Now.Location())
		h.record("r", point("b", hour))
		held, err := l.Held(h.ctx, []string{"v"})
		require.NoError(t, err)
		assert.Empty(t, held, "what came after it began")
	})
	err := h.db.Snapshot(h.ctx, func(l *Snapshot) error { _, err := l.tx.Exec(h.ctx, "DELETE FROM records"); return err })
	require.ErrorContains(t, err, "read-only transaction")
	require.Equal(t, 1, h.count("SELECT count(*) FROM records"))
}

func TestSnapshotReturnsTheLeader(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.inSnapshot(func(l *Snapshot) {
		nobody, err := l.Leader(h.ctx)
		require.NoError(t, err)
		assert.Equal(t, Leader{}, nobody)
	})
	lead, err := Lead(h.ctx, h.url, "host/1")
	require.NoError(t, err)
	require.NoError(t, h.run().Done(h.ctx, PlanRun, base))
	seen := func() (leader Leader) {
		h.inSnapshot(func(l *Snapshot) { leader, err = l.Leader(h.ctx); require.NoError(t, err) })
		return leader
	}
	want := Leader{Term: 1, Leader: "host/1", Since: new(base), LastRuns: LastRuns{PlannedAt: new(base)}, Leads: true}
	assert.Equal(t, want, seen())
	lead.Resign()
	want.Leads = false
	testkit.Eventually(t, "Postgres has noticed", time.Minute, func() bool { return !seen().Leads })
	assert.Equal(t, want, seen())
}

func TestProtectionsOfVolumes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.exec(`UPDATE leadership SET planned_at = $1`, base.Add(-hour))
	decided := row{"decided_at": base.Add(-hour), "reason": "backup_is_fresh"}
	for id, more := range map[string]row{
		"protected": nil, "on the edge": nil, "late": nil, "waiting": {"protected_since": base.Add(-23 * hour)}, "never": {"protected_since": base.Add(-27 * hour)}, "gone": {"gone_at": base, "protected": false},
		"unprotected": {"protected": false}, "unknown": {"unknown": true}, "never decided": {"decided_at": nil},
		"late and unseen": {"unknown": true}, "of a new owner": {"project_id": "q"},
	} {
		h.volume(id, decided.with(more))
	}
	for volume, age := range map[string]time.Duration{"protected": hour, "on the edge": 24 * hour, "late": 25 * hour, "unprotected": 99 * hour, "gone": hour, "late and unseen": 26 * hour, "of a new owner": hour} {
		h.record(volume, point(volume, age).with(row{"volume_id": volume}))
	}
	h.record("failed", shapes["failed"].with(row{"volume_id": "waiting"}))
	h.inSnapshot(func(l *Snapshot) {
		counts, err := l.ProtectionCounts(h.ctx, rpo(24*hour), "")
		require.NoError(t, err)
		assert.Equal(t, map[backup.Protection]int{backup.Protected: 2, backup.Late: 3, backup.Waiting: 2, backup.Unprotected: 1, backup.Unknown: 2, backup.Gone: 1}, counts)
		some, err := l.Protections(h.ctx, rpo(24*hour), Part{}, backup.Late, backup.Waiting)
		require.NoError(t, err)
		require.Len(t, some, 5)
		assert.Equal(t, []string{"never", "of a new owner", "waiting", "late and unseen"}, []string{some[0].ID, some[1].ID, some[2].ID, some[3].ID})
		assert.Equal(t, base.Add(-3*hour), some[0].LateSince(rpo(24*hour)).UTC(), "protected for longer than a restore point may be old")
		assert.Nil(t, some[2].LateSince(rpo(24*hour)))
		assert.Equal(t, VolumeProtection{
			ID: "late", Name: "disk", ProjectID: "p", ProjectName: "one", ServerID: "s", ServerName: "web", SizeGiB: 10,
			Reason: backup.BackupIsFresh, Facts: isWanted | hasPoint | isPastRPO, NewestAt: new(base.Add(-25 * hour)),
		}, some[4])
		assert.Equal(t, base.Add(-hour), some[4].LateSince(rpo(24*hour)).UTC())
		one, err := l.ProtectionOf(h.ctx, rpo(24*hour), "", "gone")
		require.NoError(t, err)
		assert.Equal(t, backup.Gone, one.Protection())
		_, err = l.ProtectionOf(h.ctx, rpo(24*hour), "", "nowhere")
		require.ErrorIs(t, err, ErrUnknownVolume)
	})
}

func TestVolumeIsFoundByIDOrUniqueName(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for id, more := range map[string]row{
		"a": {"name": "only"}, "b": {"name": "twice"}, "c": {"name": "twice"}, "d": {"name": "again"},
		"e": {"name": "again", "gone_at": base, "protected": false}, "twice as well": {"name": "a"},
	} {
		h.volume(id, more)
	}
	h.inSnapshot(func(l *Snapshot) {
		for idOrName, want := range map[string]string{"a": "a", "only": "a", "b": "b", "again": "d"} {
			v, err := l.Volume(h.ctx, idOrName)
			require.NoError(t, err, idOrName)
			assert.Equal(t, want, v.ID, idOrName)
		}
		_, err := l.Volume(h.ctx, "nothing")
		require.ErrorIs(t, err, ErrUnknownVolume)
		_, err = l.Volume(h.ctx, "twice")
		require.EqualError(t, err, "2 volumes have that name: [b c]")
	})
}

func TestInProgressAndBacklog(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for name, shape := range shapes {
		h.volume("v-"+name, nil)
		more := row{"volume_id": "v-" + name}
		if shape["backup_id"] != nil {
			more["backup_id"] = "b-" + name
		}
		h.record(name, shape.with(more))
	}
	for id, more := range map[string]row{
		"w1": {"changed_at": base.Add(-3 * hour), "last_point_at": base.Add(-48 * hour)}, "w2": {"last_point_at": base.Add(-50 * hour)},
		"w3": {"project_id": "q", "project_name": "two", "held": "zone"},
	} {
		h.volume(id, nil)
		h.record(id, row{"state": "planned", "volume_id": id}.with(more))
	}
	h.inSnapshot(func(l *Snapshot) {
		inProgress, err := l.InProgress(h.ctx)
		require.NoError(t, err)
		assert.Equal(t, []string{"asked", "creating", "deleting", "leftover deleting", "overdue", "planned", "resting", "undeletable"}, ids(inProgress))
		backlog, err := l.Backlog(h.ctx)
		require.NoError(t, err)
		assert.Equal(t, []Backlog{
			{ProjectID: "p", ProjectName: "one", Records: 2, Since: base.Add(-3 * hour), Held: []backup.Held{""}, OldestPointAt: new(base.Add(-50 * hour))},
			{ProjectID: "q", ProjectName: "two", Records: 1, Since: base.Add(-hour), Held: []backup.Held{backup.HeldByZone}},
		}, backlog)
		held, err := l.Held(h.ctx, []string{"v-available", "v-deleted", "v-leftover", "v-failed"})
		require.NoError(t, err)
		assert.Len(t, held, 2)
	})
}

func TestFailuresEndWithTheNextSuccess(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	failed := func(age time.Duration) row {
		return row{"state": "failed", "reason": "quota_exceeded", "planned_at": base.Add(-age), "ended_at": base.Add(-age)}
	}
	for volume, records := range map[string][]row{
		"failing": {point("b1", 3*hour), failed(2 * hour), failed(hour)}, "repaired": {failed(2 * hour), point("b2", hour)},
		"lost": {point("b3", hour).with(row{"state": "lost"})}, "unwanted": {failed(hour)}, "moved": {failed(hour).with(row{"project_id": "q"})},
		"in progress again": {failed(2 * hour), {"state": "planned"}}, "new": nil,
	} {
		h.volume(volume, row{"protected": volume != "unwanted"})
		for i, r := range records {
			h.record(volume+" "+string(rune('1'+i)), r.with(row{"volume_id": volume}))
		}
	}
	h.inSnapshot(func(l *Snapshot) {
		failures, err := l.Failures(h.ctx)
		require.NoError(t, err)
		assert.Equal(t, []string{"failing 3", "in progress again 1", "lost 1"}, ids(failures))
		one, err := l.Failures(h.ctx, "lost", "repaired")
		require.NoError(t, err)
		assert.Equal(t, []string{"lost 1"}, ids(one))
		findings, err := l.Findings(h.ctx)
		require.NoError(t, err)
		assert.Empty(t, findings)
	})
}

func TestBackupsByFilter(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", nil)
	h.volume("w", nil)
	h.record("old", point("b1", 3*hour))
	h.record("new", point("b2", hour))
	h.record("theirs", point("b3", 2*hour).with(row{"volume_id": "w", "project_id": "q", "project_name": "two", "server_name": "db"}))
	h.record("failed", shapes["failed"].with(row{"planned_at": base.Add(-9 * hour), "created_at": base.Add(-9 * hour), "requested_at": nil, "deadline": nil}))
	for name, c := range map[string]struct {
		filter Filter
		want   []string
	}{
		"all, newest first": {Filter{}, []string{"new", "theirs", "old", "failed"}},
		"limited":           {Filter{Limit: 2}, []string{"new", "theirs"}},
		"project by name":   {Filter{Project: "two"}, []string{"theirs"}},
		"project by ID":     {Filter{Project: "p"}, []string{"new", "old", "failed"}},
		"server":            {Filter{Server: "db"}, []string{"theirs"}},
		"volume":            {Filter{Volume: "v", Limit: 1}, []string{"new"}},
		"state":             {Filter{States: []string{"failed", "lost"}}, []string{"failed"}},
		"nothing":           {Filter{Project: "two", Server: "web"}, nil},
		"an odd name":       {Filter{Project: "two\x00"}, nil},
	} {
		h.inSnapshot(func(l *Snapshot) {
			records, err := l.Backups(h.ctx, c.filter)
			require.NoError(t, err, name)
			var got []string
			for _, r := range records {
				got = append(got, r.ID)
			}
			assert.Equal(t, c.want, got, name)
		})
	}
}

func TestAgeingReturnsVolumesWithExpiringRestorePoints(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for volume, c := range map[string]struct{ volume, record row }{
		"soon":      {nil, point("b1", 10*24*hour)},
		"later":     {nil, point("b2", 8*24*hour)},
		"shortened": {row{"shorter_retention": "1 day", "shorter_retention_since": base}, point("b3", hour)},
		"leftover":  {nil, leftover.with(row{"state": "failed", "backup_id": "b4"})},
		"marked":    {row{"removal_due_at": base}, point("b5", hour)},
		"unknown":   {row{"retention": nil, "retention_source": nil, "protected": false}, point("b6", 10*24*hour)},
	} {
		h.volume(volume, c.volume)
		h.record(volume, c.record.with(row{"volume_id": volume}))
	}
	h.inSnapshot(func(l *Snapshot) {
		volumes, err := l.Ageing(h.ctx, base.Add(5*24*hour))
		require.NoError(t, err)
		var got []string
		for _, v := range volumes {
			got = append(got, v.ID)
		}
		assert.Equal(t, []string{"leftover", "marked", "shortened", "soon", "unknown"}, got)
		some, err := l.Volumes(h.ctx, []string{"soon", "later", "nowhere"})
		require.NoError(t, err)
		require.Len(t, some, 2)
		assert.Equal(t, backup.Period{Days: 14}, some[0].Retention.InForce)
	})
}

// All pages together are the whole list, in either order, even if records have the same time.
func TestPagesTogetherAreTheWholeList(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, volume := range []string{"v1", "v2", "v3"} {
		h.volume(volume, row{"project_id": "p" + volume[1:]})
		for _, age := range []time.Duration{hour, 2 * hour} {
			h.record(volume+age.String(), point(volume+age.String(), age).with(row{"volume_id": volume, "volume_name": "data", "project_id": "p" + volume[1:]}))
		}
	}
	h.inSnapshot(func(l *Snapshot) {
		for _, oldest := range []bool{false, true} {
			whole, err := l.Backups(h.ctx, Filter{OldestFirst: oldest})
			require.NoError(t, err)
			require.Len(t, whole, 6)
			var after *Cursor
			for _, want := range whole {
				got, err := l.Backups(h.ctx, Filter{OldestFirst: oldest, Limit: 1, After: after})
				require.NoError(t, err)
				require.Equal(t, want.ID, got[0].ID)
				after = new(CursorOf(got[0]))
			}
			before, err := l.Backups(h.ctx, Filter{OldestFirst: oldest, Before: after, Limit: 2})
			require.NoError(t, err)
			require.Equal(t, whole[3:5], before)
			none, err := l.Backups(h.ctx, Filter{OldestFirst: oldest, After: after})
			require.NoError(t, err)
			require.Empty(t, none)
			only, err := l.Backups(h.ctx, Filter{OldestFirst: oldest, Only: "p1", Project: "p2"})
			require.NoError(t, err)
			require.Empty(t, only)
			until := base.Add(-90 * time.Minute)
			some, err := l.Backups(h.ctx, Filter{OldestFirst: oldest, Only: "p1", From: &until})
			require.NoError(t, err)
			require.Len(t, some, 1)
			require.Equal(t, "v1"+hour.String(), some[0].ID)
			some, err = l.Backups(h.ctx, Filter{Until: &until})
			require.NoError(t, err)
			require.Len(t, some, 3)
		}
		for _, sort := range []VolumeSort{ByProject, ByName, ByServer, BySize, ByAge} {
			var after *VolumeCursor
			for _, want := range []string{"v1", "v2", "v3"} {
				got, err := l.ProtectionPage(h.ctx, rpo(hour), ProtectionFilter{Sort: sort, Limit: 1, After: after})
				require.NoError(t, err)
				require.Equal(t, want, got[0].ID)
				after = cursorTo(got[0])
			}
			before, err := l.ProtectionPage(h.ctx, rpo(hour), ProtectionFilter{Sort: sort, Before: after, Limit: 1})
			require.NoError(t, err)
			require.Len(t, before, 1)
			require.Equal(t, "v2", before[0].ID)
			all, err := l.ProtectionPage(h.ctx, rpo(hour), ProtectionFilter{Sort: sort, Before: after})
			require.NoError(t, err)
			require.Len(t, all, 2)
			require.Equal(t, "v1", all[0].ID)
			none, err := l.ProtectionPage(h.ctx, rpo(hour), ProtectionFilter{Sort: sort, After: after, Only: "p3"})
			require.NoError(t, err)
			require.Empty(t, none)
		}
		// The backups of another project cannot be restored in this one.
		one, err := l.ProtectionOf(h.ctx, rpo(hour), "p2", "v1")
		require.ErrorIs(t, err, ErrUnknownVolume)
		require.Empty(t, one)
	})
}

func TestSessionKeyIsTheSameForAllCallers(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	one, err := h.db.SessionKey(h.ctx)
	require.NoError(t, err)
	require.Len(t, one, 32)
	other, err := h.db.SessionKey(h.ctx)
	require.NoError(t, err)
	require.Equal(t, one, other)
}

// cursorTo returns the position of a volume.
func cursorTo(p VolumeProtection) *VolumeCursor {
	return &VolumeCursor{NewestAt: p.NewestAt, Project: p.ProjectName, Name: p.Name, ID: p.ID, Server: p.ServerName, SizeGiB: p.SizeGiB}
}
