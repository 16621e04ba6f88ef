package view

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"staffeln/backup"
)

func TestReportIsNotWellAfterEarlyRemovals(t *testing.T) {
	r := dayWithoutProblems()
	p := &r.Projects[0]
	p.Backups = quota(10, 2, 0)
	p.Removed = Removals([]Gone{expired("acme", 0, 1)})
	require.Equal(t, "All is well: 2 backups were made, 1 removed, none failed, nothing is late.", r.Count().Sentence(), "its retention was over")
	for reason, early := range map[backup.Reason]int{backup.RetentionOver: 1, backup.RemovedByOthers: 1, backup.ProjectGone: 1, backup.ProjectPurged: 0} {
		gone := expired("acme", 0, 1)
		gone.RemovedAt, gone.Reason = gone.Promised.Add(-time.Second), reason
		p.Removed = Removals([]Gone{gone})
		require.Equal(t, early, r.Count().Early, reason)
		require.Equal(t, early == 0, r.Count().Well(), reason)
		require.Contains(t, r.Text(), "restore point removed, data of ")
		require.Contains(t, r.Text(), "("+string(reason)+")")
	}
	require.Equal(t, "Backups of acme: 2 volumes have fewer restore points than promised, 2 restore points were removed before their promised end, 1 project is short of quota", dayWithEarlyRemovals().Subject())
	require.Equal(t, Red, dayWithEarlyRemovals().Count().Level())
}

func TestRemovalsAreCountedByVolumeAndReason(t *testing.T) {
	other := expired("acme", 0, 9)
	other.Reason = backup.RemovedByOthers
	all := Removals([]Gone{expired("acme", 0, 2), expired("acme", 1, 3), expired("acme", 0, 1), other})
	require.Len(t, all, 3)
	require.Equal(t, Removal{
		VolumeNames: volume("acme", 0), Count: 2, OldestAt: expired("", 0, 2).DataTime, NewestAt: expired("", 0, 1).DataTime,
		Reason: ReasonOf(backup.RetentionOver), Backups: []string{id(4, 102), id(4, 101)},
	}, all[0])
}

func TestVolumeWithFewerRestorePointsThanPromisedIsReported(t *testing.T) {
	const grace = 7 * 24 * time.Hour
	for name, c := range map[string]struct {
		points, ever, promised int
		ended                  *time.Time
		fewer                  bool
	}{
		"as many":                       {3, 9, 3, nil, false},
		"fewer":                         {2, 9, 3, nil, true},
		"never had as many":             {2, 2, 3, nil, false},
		"none is promised":              {0, 9, 0, nil, false},
		"protection ended, in grace":    {2, 9, 3, new(noon.Add(-grace + 1)), true},
		"protection ended, grace over":  {2, 9, 3, new(noon.Add(-grace)), false},
		"none, protection ended lately": {0, 1, 1, new(noon), true},
	} {
		f, fewer := Lacks(noon, volume("acme", 1), c.points, c.ever, c.promised, c.ended, grace)
		require.Equal(t, c.fewer, fewer, name)
		if fewer {
			p := ReportProject{Fewer: []Fewer{f}}
			require.False(t, p.Count().Well())
			require.True(t, p.Empty(), "by itself it makes no report")
		}
	}
}
