package backup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The floor applies for the grace after the protection ended, in each project from its own end, also if another
// project owns the volume now.
func TestFloorAppliesUntilGraceEnds(t *testing.T) {
	const grace = 7 * 24 * time.Hour
	ended := now.Add(-24 * time.Hour)
	until := ended.Add(grace)
	ls := links(t, "F-30d I-29d F-28d")
	for name, c := range map[string]struct {
		guard   Guard
		want    Constraints
		removed int
	}{
		"protected":                        {Guard{ProjectID: "A", Protected: true, Floor: 1, Grace: grace}, Constraints{Floor: 1}, 1},
		"never protected":                  {Guard{ProjectID: "A", Floor: 1, Grace: grace}, Constraints{}, 2},
		"ended":                            {Guard{ProjectID: "A", Floor: 1, Grace: grace, Ends: map[string]time.Time{"A": ended}}, Constraints{Floor: 1, FloorUntil: until}, 1},
		"ended long ago":                   {Guard{ProjectID: "A", Floor: 1, Grace: time.Hour, Ends: map[string]time.Time{"A": ended}}, Constraints{Floor: 1, FloorUntil: ended.Add(time.Hour)}, 2},
		"no grace":                         {Guard{ProjectID: "A", Floor: 1, Ends: map[string]time.Time{"A": ended}}, Constraints{}, 2},
		"ended for another":                {Guard{ProjectID: "A", Floor: 1, Grace: grace, Ends: map[string]time.Time{"B": ended}}, Constraints{}, 2},
		"transferred, protected elsewhere": {Guard{ProjectID: "B", Protected: true, Floor: 1, Grace: grace, Ends: map[string]time.Time{"A": ended}}, Constraints{Floor: 1, FloorUntil: until}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			k := ConstraintsOf("A", c.guard, nil)
			require.Equal(t, c.want, k)
			removals, kept := Expired(now, k, ls)
			require.Len(t, removals, c.removed)
			for _, s := range kept {
				if s.Reason == Floor {
					require.Equal(t, c.want.FloorUntil, s.Until)
				}
			}
			removals, _ = Expired(until, k, ls)
			require.Len(t, removals, map[bool]int{true: 1, false: 2}[c.guard.Protected && c.guard.ProjectID == "A"], "at the end of the grace")
		})
	}
}

// The forecast includes what expires at the end of the grace.
func TestForecastIncludesEndOfGrace(t *testing.T) {
	h := retentionInput(t, 1, "F-30d:1w I-29d:1w")
	h.Protected, h.Grace, h.Ends = false, 7*24*time.Hour, map[string]time.Time{"A": now.Add(-24 * time.Hour)}
	require.Equal(t, "b02+6d:expired b01+6d:expired |", formatForecast(h.Forecast(now, now.AddDate(0, 0, 30))))
	require.Equal(t, "| b01:restore_point_floor_depends_on_it b02:restore_point_floor", formatForecast(h.Forecast(now, now.AddDate(0, 0, 5))))
}

// dated returns a link whose data has these ages in hours, by our times and by Cinder's.
func dated(id string, kind Kind, ours, cinders int) Link {
	at := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }
	return Link{
		BackupID: id, RecordID: "r" + id, ProjectID: "A", Kind: kind, Status: StatusAvailable,
		DataTime: at(ours), OrderTime: at(cinders), CreatedTime: at(cinders), Retention: period("4d"),
	}
}

// Cinder builds an incremental on the newest backup by its own clock, even if that clock ran ahead: age and expiry
// follow our times, the chain follows Cinder's.
func TestChainsAreOrderedByCindersClockAndExpireByOurs(t *testing.T) {
	const ahead = -400 * 24
	ls := []Link{dated("1", Full, 120, 120), dated("2", Full, 96, ahead), dated("3", Full, 72, 72), dated("4", Incremental, 24, 24)}
	require.Equal(t, "1 | 2 4 | 3", formatChains(Chains(ls)), "4 depends on 2, regardless of the one in between")
	removals, kept := Expired(now, Constraints{Floor: 1}, ls)
	require.Equal(t, []Removal{{ls[0], RetentionOver}}, removals)
	require.Len(t, kept, 3)
	for _, k := range kept {
		switch k.BackupID {
		case "2":
			require.Equal(t, FloorDependsOnIt, k.Reason, "past its four days")
		case "4":
			require.Equal(t, Floor, k.Reason, "the newest data")
		}
	}
	// A clock that is behind does not make a backup old.
	fresh := []Link{dated("1", Full, 48, 48), dated("2", Full, 0, 60*24)}
	removals, _ = Expired(now, Constraints{}, fresh)
	require.Empty(t, removals)
}

// A backup that Cinder lists has the data time of its record.
func TestLinkHasDataTimeOfItsRecord(t *testing.T) {
	r := records(t, "F-1h")[0]
	b := Backup{ID: r.BackupID, ProjectID: "A", Status: StatusAvailable, DataTimestamp: now.AddDate(1, 0, 0)}
	l := LinkOf(b, &r, Retention{})
	require.Equal(t, *r.DataTimestamp, l.DataTime)
	require.Equal(t, b.DataTimestamp, l.OrderTime)
	require.Equal(t, b.DataTimestamp, LinkOf(b, nil, Retention{}).DataTime, "of a foreign one only Cinder's time is known")
	failed := records(t, "Ie-1h")[0]
	for _, wrong := range []time.Duration{-16 * time.Minute, 16 * time.Minute, -1000 * time.Hour} {
		b.DataTimestamp = now.Add(wrong - time.Hour)
		require.Equal(t, *failed.RequestedAt, LinkOf(b, &failed, Retention{}).DataTime, "it never became a restore point, but its parent must still be found")
	}
	b.DataTimestamp = now.Add(10*time.Minute - time.Hour)
	require.Equal(t, b.DataTimestamp, LinkOf(b, &failed, Retention{}).DataTime)
}

// Two incrementals with one parent, or with a link skipped that failed or is in use, as Cinder makes them since 2023.1: the
// newest restore point by either rule is retained with everything below it, and each branch expires when its
// retention is over.
func TestFloorOfForkedChainFollowsBothCinderRules(t *testing.T) {
	for history, want := range map[string]string{
		"F-30d I-29d I-28d":       "restore_point_floor_depends_on_it restore_point_floor_depends_on_it restore_point_floor",
		"F-30d Ie-29d I-28d":      "restore_point_floor kept_for_dependent restore_point_floor",
		"F-30d Iu-29d I-28d":      "restore_point_floor cannot_be_removed restore_point_floor",
		"F-30d I-29d Fe-28d I-3d": "restore_point_floor_depends_on_it restore_point_floor_depends_on_it -failed_leftover restore_point_floor",
		"F-30d I-29d Fu-28d I-3d": "restore_point_floor_depends_on_it restore_point_floor cannot_be_removed restore_point_floor",
	} {
		checkExpired(t, "floor 1", history, want)
	}
	checkExpired(t, "floor 0", "F-30d I-29d I-28d", "dependent_first dependent_first -expired")
	checkExpired(t, "floor 0", "F-30d I-29d I-1d", "kept_for_dependent kept_for_dependent within_retention")
}
