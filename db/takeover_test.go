package db

import (
	"testing"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

// taken is a record of an import in this state, of the volume v.
func taken(id string, state backup.State) backup.Record {
	at := base.Add(-3 * hour)
	r := backup.Record{
		ProjectID: "p", ProjectName: "one", ServerID: "s", ServerName: "web", VolumeID: "v", VolumeName: "disk", Zone: "az", SizeGiB: 10, Encrypted: true, State: state, Kind: backup.Incremental,
		Retention: backup.Period{Days: 14}, PlannedAt: at, RequestedAt: &at, BackupID: id, BackupName: "web_disk_1", CinderStatus: "x",
	}
	switch state {
	case backup.Creating:
		r.Deadline = new(at.Add(6 * hour))
	case backup.Failed:
		r.EndedAt, r.Reason, r.ReasonText = &at, backup.BackupError, "full\x00"
	default:
		r.EndedAt, r.AvailableAt, r.DataTimestamp, r.CinderTimestamp = &at, &at, &at, &at
	}
	return r
}

var takenVolume = Volume{ID: "v", Name: "disk", ProjectID: "p", ProjectName: "one", SizeGiB: 10, Status: "in-use", Zone: "az"}

// Each record is stored as it was given; only what is still being made will be reported.
func TestTakeOverWritesRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	gone := Volume{ID: "w", ProjectID: "p", GoneAt: new(base)}
	protected := takenVolume
	protected.Protected, protected.ProtectedSince, protected.ServerID = true, new(base), "s"
	protected.Retention = backup.Retention{InForce: backup.Period{Days: 14}, Source: backup.FromMetadata}
	all := []backup.Record{taken("a", backup.Available), taken("c", backup.Creating), taken("f", backup.Failed), taken("l", backup.Lost)}
	all[3].VolumeID, all[3].Reason = "w", backup.RemovedByOthers
	written, err := h.db.TakeOver(h.ctx, []Volume{protected, gone}, all)
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"a", "c", "f", "l"}, written)
	for _, want := range all {
		var id string
		var reported, removal *string
		require.NoError(t, h.db.pool.QueryRow(h.ctx, `SELECT id, report_id, removal_report_id FROM records WHERE backup_id = $1`, want.BackupID).Scan(&id, &reported, &removal))
		require.Equal(t, want.State == backup.Creating, reported == nil, want.State)
		require.Equal(t, want.State != backup.Lost, removal == nil, want.State)
		got := h.read(id)
		want.ID, want.CreatedAt, want.ChangedAt = id, base, base
		if want.State == backup.Failed {
			want.ReasonText = "full\uFFFD"
		}
		require.Equal(t, want, got)
	}
	h.inSnapshot(func(l *Snapshot) {
		known, inProgress, err := l.Recorded(h.ctx, []string{"a", "x"}, []string{"v", "w"})
		require.NoError(t, err)
		require.Equal(t, []string{"a"}, known)
		require.Equal(t, []string{"v"}, inProgress)
	})
	var retention, source string
	require.NoError(t, h.db.pool.QueryRow(h.ctx, `SELECT retention::text, retention_source FROM volumes WHERE id = 'v' AND protected AND gone_at IS NULL`).Scan(&retention, &source))
	require.Equal(t, "14 days metadata", retention+" "+source)
}

// What is recorded already is not changed, and a second backup in progress of a volume is skipped.
func TestTakeOverSkipsWhatIsRecorded(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.volume("v", row{"name": "newer"})
	_, err := h.db.TakeOver(h.ctx, []Volume{takenVolume}, []backup.Record{taken("a", backup.Available), taken("c", backup.Creating)})
	require.NoError(t, err)
	h.clock.Set(base.Add(hour))
	h.changesNothing(func() {
		written, err := h.db.TakeOver(h.ctx, []Volume{takenVolume}, []backup.Record{taken("a", backup.Available), taken("c", backup.Creating), taken("d", backup.Creating)})
		require.NoError(t, err)
		require.Empty(t, written)
	})
	written, err := h.db.TakeOver(h.ctx, nil, []backup.Record{taken("a", backup.Available), taken("e", backup.Available)})
	require.NoError(t, err)
	require.Equal(t, []string{"e"}, written)
}

// All is written, or nothing.
func TestTakeOverWritesAllOrNothing(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	without := taken("b", backup.Available)
	without.DataTimestamp = nil
	for name, bad := range map[string]backup.Record{"without a time": without, "in a later state": taken("b", backup.Deleting)} {
		h.changesNothing(func() {
			written, err := h.db.TakeOver(h.ctx, []Volume{takenVolume}, []backup.Record{taken("a", backup.Available), bad})
			require.Error(t, err, name)
			require.Empty(t, written, name)
		})
	}
}
